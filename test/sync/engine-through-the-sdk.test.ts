import { createDirectorySync } from '@scalekit-scim/core/sync'
import { createSimulator } from '@scalekit-scim/simulator'
import { ScalekitClient } from '@scalekit-sdk/node'
import { expect, onTestFinished, test } from 'vitest'
import { application } from '../support/application.ts'

test('through the SDK, the application becomes equal to the directory, and stays equal', async () => {
  const simulator = await createSimulator()
  onTestFinished(() => simulator.close())
  const { environment, variables, url } = simulator
  const organization = environment.createOrganization({ displayName: 'Acme' })
  environment.createOrganization({ displayName: 'Without a directory' })
  const { id: directoryId } = environment.createDirectory(organization.id)
  const group = environment.createGroup(directoryId, { displayName: 'Engineering' })
  const users = Array.from({ length: 70 }, (_, number) =>
    environment.createUser(directoryId, { attributes: { userName: `user.${number}` } }),
  )

  const app = application()
  const sync = createDirectorySync({
    scalekit: new ScalekitClient(
      url,
      variables.SCALEKIT_CLIENT_ID ?? '',
      variables.SCALEKIT_CLIENT_SECRET ?? '',
    ),
    dispatcher: app.dispatcher,
    organizations: 'all',
    known: app.known,
    logger: false,
  })
  const first = await sync.run()
  expect(first).toMatchObject({ outcome: 'complete', totals: { organizations: 2, skipped: 1 } })
  expect(first.totals.users).toMatchObject({ seen: 70, created: 70 })
  expect(first.totals.groups).toMatchObject({ created: 1 })

  const [gone, changed] = users
  if (!gone || !changed) throw new Error('there are no users')
  environment.deleteUser(gone.id)
  environment.addMember(group.id, changed.id)
  const second = await sync.run({ mode: 'full' })
  expect(second.outcome).toBe('complete')
  expect(second.totals.users).toMatchObject({ seen: 69, deleted: 1, created: 0, failed: 0, held: 0 })
  expect(app.live().sort()).toEqual(
    users
      .slice(1)
      .map(({ id }) => id)
      .sort(),
  )
  expect(app.users.get(changed.id)?.groupIds).toEqual([group.id])
})
