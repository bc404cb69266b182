import {
  createSimulator,
  type Directory,
  type Organization,
  type Simulator,
  type SimulatorOptions,
  type User,
} from '@scalekit-scim/simulator'
import { ScalekitClient } from '@scalekit-sdk/node'
import { onTestFinished } from 'vitest'

export interface Scene {
  simulator: Simulator
  sdk: ScalekitClient
  organization: Organization
  directory: Directory
}

/** A simulator with one customer, and the SDK of an application. */
export async function startScene(options: SimulatorOptions = {}): Promise<Scene> {
  const simulator = await createSimulator(options)
  onTestFinished(() => simulator.close())
  const organization = simulator.environment.createOrganization({ displayName: 'Acme', externalId: 'acme' })
  const directory = simulator.environment.createDirectory(organization.id)
  return { simulator, sdk: sdkOf(simulator), organization, directory }
}

export function sdkOf({ variables }: Simulator): ScalekitClient {
  const { SCALEKIT_ENVIRONMENT_URL = '', SCALEKIT_CLIENT_ID = '', SCALEKIT_CLIENT_SECRET = '' } = variables
  return new ScalekitClient(SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET)
}

export function hire({ simulator, directory }: Scene, count: number): User[] {
  return Array.from({ length: count }, (_, index) =>
    simulator.environment.createUser(directory.id, {
      attributes: { userName: `user${index}`, email: `user${index}@acme.example` },
    }),
  )
}

/** The SDK's access token, which it does not expose. */
export function accessTokenOf({ directory }: ScalekitClient): string {
  const { accessToken } = Reflect.get(directory, 'coreClient') as { accessToken: string | null }
  if (accessToken === null) throw new Error('the SDK has no token yet')
  return accessToken
}

/** Returns the error of a call. Throws if the call succeeds. */
export async function refusal(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('the call succeeded')
    },
    (error: unknown) => error,
  )
}

/** Reads all pages by their tokens. Ends after `maxPages`. */
export async function walk({ sdk, organization, directory }: Scene, pageSize = 10, maxPages = 20) {
  const pages: Awaited<ReturnType<typeof sdk.directory.listDirectoryUsers>>[] = []
  let pageToken = ''
  do {
    const page = await sdk.directory.listDirectoryUsers(organization.id, directory.id, {
      pageSize,
      pageToken,
    })
    pages.push(page)
    pageToken = page.nextPageToken
  } while (pageToken !== '' && pages.length < maxPages)
  return { pages, ids: pages.flatMap(({ users }) => users.map(({ id }) => id)) }
}
