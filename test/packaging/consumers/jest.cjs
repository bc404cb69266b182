// Jest runs CommonJS, in Node without a flag.
const { createReceiver } = require('@scalekit-scim/core')
const { createDirectorySync, scalekitFromEnv } = require('@scalekit-scim/core/sync')
const { TEST_SECRET } = require('@scalekit-scim/core/testing')
const { createSimulator } = require('@scalekit-scim/simulator')

let simulator
beforeAll(async () => {
  simulator = await createSimulator()
})
afterAll(() => simulator.close())

test('a sync reads a directory through the client from scalekitFromEnv', async () => {
  const { environment } = simulator
  const { id } = environment.createOrganization({ displayName: 'Acme' })
  const directory = environment.createDirectory(id)
  environment.createUser(directory.id, { attributes: { userName: 'ada', email: 'ada@acme.example' } })

  const upserted = []
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    onUserUpserted: (event) => {
      upserted.push(event.data.email)
    },
  })
  const sync = createDirectorySync({
    scalekit: await scalekitFromEnv(simulator.variables),
    dispatcher: receiver,
    organizations: 'all',
    logger: false,
  })
  const { outcome } = await sync.run()
  await Promise.all([sync.stop(), receiver.close()])

  expect([outcome, upserted]).toEqual(['complete', ['ada@acme.example']])
})
