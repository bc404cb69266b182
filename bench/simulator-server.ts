// A server process for simulator.ts: the simulator, or a bare connect server that returns the same pages.
import { createServer } from 'node:http2'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { createSimulator } from '@scalekit-scim/simulator'
import { ScalekitClient } from '@scalekit-sdk/node'
import {
  DirectoryService,
  ListDirectoryUsersResponseSchema,
} from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'

const [, , kind, users = '100000', pageSize = '30'] = process.argv

const simulator = await createSimulator()
const { environment, variables } = simulator
const organization = environment.createOrganization({ displayName: 'Acme' })
const directory = environment.createDirectory(organization.id)
environment.silently(() => {
  const groups = Array.from({ length: 20 }, (_, index) =>
    environment.createGroup(directory.id, { displayName: `Group ${index}` }),
  )
  for (let index = 0; index < Number(users); index++) {
    environment.createUser(directory.id, {
      attributes: {
        userName: `user${index}@acme.example`,
        email: `user${index}@acme.example`,
        givenName: 'Ann',
        familyName: `Lee ${index}`,
        title: 'Engineer',
        department: 'Research',
      },
      groupIds: [groups[index % 20]?.id ?? '', groups[(index * 7 + 1) % 20]?.id ?? ''],
    })
  }
})
process.on('disconnect', () => process.exit())
const ids = { organizationId: organization.id, directoryId: directory.id }

if (kind === 'bare') process.send?.({ ...variables, ...ids, SCALEKIT_ENVIRONMENT_URL: await startBare() })
else process.send?.({ ...variables, ...ids })

/**
 * Starts a bare server that returns each page of the simulator by its token. The cost of the bare server is only the
 * cost of connect, protobuf and HTTP/2.
 */
async function startBare(): Promise<string> {
  const { SCALEKIT_ENVIRONMENT_URL = '', SCALEKIT_CLIENT_ID = '', SCALEKIT_CLIENT_SECRET = '' } = variables
  const sdk = new ScalekitClient(SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET)
  const pages = new Map<string, MessageInitShape<typeof ListDirectoryUsersResponseSchema>>()
  let pageToken = ''
  do {
    const page = await sdk.directory.listDirectoryUsers(ids.organizationId, ids.directoryId, {
      pageSize: Number(pageSize),
      pageToken,
      includeDetail: true,
    })
    pages.set(pageToken, page)
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  const adapter = connectNodeAdapter({
    // These settings are the same as in the simulator, so that both servers do the same work.
    compressMinBytes: Number.POSITIVE_INFINITY,
    routes: (router) => {
      const empty = create(ListDirectoryUsersResponseSchema)
      router.service(DirectoryService, {
        listDirectoryUsers: (request) => pages.get(request.pageToken) ?? empty,
      })
    },
  })
  const server = createServer(adapter)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the bare server has no address')
  return `http://127.0.0.1:${address.port}`
}
