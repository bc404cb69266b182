import { expect, it } from 'vitest'
import { startScene } from './scene.ts'

it('a change has the time that `stampMicros` returns, in its event and in the API, even if it is earlier than the last', async () => {
  const times = ['2026-11-23T09:00:00.000000Z', '2026-11-23T09:00:30.000001Z', '2026-11-23T08:59:59.999999Z']
  const stamps = times.map((time) => Math.floor(Date.parse(time)) * 1000 + Number(time.slice(23, 26)))
  let stamp = 0
  const { simulator, sdk, organization, directory } = await startScene({ stampMicros: () => stamp })
  const user = simulator.environment.createUser(directory.id, { attributes: { userName: 'ann' } })

  const occurredAt: string[] = []
  simulator.environment.onEvent(({ occurred_at }) => occurredAt.push(occurred_at))
  const listed: unknown[] = []
  for (stamp of stamps) {
    simulator.environment.updateUser(user.id, { attributes: { userName: 'ann', title: `${stamp}` } })
    const { users } = await sdk.directory.listDirectoryUsers(organization.id, directory.id)
    const { seconds = 0n, nanos = 0 } = users[0]?.updatedAt ?? {}
    listed.push(Number(seconds) * 1e6 + nanos / 1000)
  }

  expect(occurredAt).toEqual(times)
  expect(listed).toEqual(stamps)
})
