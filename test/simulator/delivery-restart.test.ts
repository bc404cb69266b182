import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimulator } from '@scalekit-scim/simulator'
import { expect, it, onTestFinished } from 'vitest'
import {
  attemptsOf,
  openDeliveries,
  startEndpoint,
  statuses,
  userCreated,
  userNumber,
} from './delivery-scene.ts'

const from = new Date('2026-11-23T09:00:00Z')

/** The state after a round trip through JSON, as in a file. */
const stored = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))

it('a restart restores endpoints and their secrets, with the expiry of the old secret', async () => {
  const before = openDeliveries({ from })
  const { id } = before.deliveries.addEndpoint({ url: 'http://127.0.0.1:1/', types: [userCreated.type] })
  before.deliveries.rotateSecret(id, { keepOldSeconds: 60 })
  const after = openDeliveries({ from: new Date(from.getTime() + 30_000) })
  after.deliveries.restore(stored(before.deliveries.export()))
  expect(after.deliveries.endpoints).toEqual(before.deliveries.endpoints)
  await after.clock.step(30_000)
  expect(after.deliveries.endpoints[0]?.secrets).toHaveLength(1)
})

it('after a restart, no id or secret is generated a second time', () => {
  const before = openDeliveries({ from })
  const one = before.deliveries.addEndpoint({ url: 'http://127.0.0.1:1/' })
  const after = openDeliveries({ from })
  after.deliveries.restore(stored(before.deliveries.export()))
  const two = after.deliveries.addEndpoint({ url: 'http://127.0.0.1:1/' })
  expect(two.id).not.toBe(one.id)
  expect(two.secrets).not.toEqual(one.secrets)
})

it('after a restart, pending messages are retried with the same id and at the same time', async () => {
  const endpoint = await startEndpoint((response, index) => response.writeHead(index < 3 ? 500 : 201).end())
  const before = openDeliveries({ from })
  before.deliveries.addEndpoint(endpoint)
  const { id } = before.deliveries.send(userCreated)
  await before.clock.step(6000)
  await before.deliveries.close()

  const after = openDeliveries({ from: new Date(from.getTime() + 10_000) })
  after.deliveries.restore(stored(before.deliveries.export()))
  const message = after.deliveries.messages[0]
  expect(message).toMatchObject({
    id,
    deliveries: [{ state: 'pending', nextAttemptAtMs: from.getTime() + 305_000 }],
  })
  await after.clock.step(294_999)
  expect(endpoint.received).toHaveLength(2)
  await after.clock.step(1)
  await after.clock.step(1_800_000)
  expect(endpoint.received.map(({ headers }) => headers['webhook-id'])).toEqual([id, id, id, id])
  expect(message && attemptsOf(message).map(({ number }) => number)).toEqual([3, 4])
})

it('after a restart, overdue attempts begin immediately', async () => {
  const endpoint = await startEndpoint((response, index) => response.writeHead(index < 1 ? 500 : 201).end())
  const before = openDeliveries({ from })
  before.deliveries.addEndpoint(endpoint)
  before.deliveries.send(userCreated)
  await before.deliveries.close()
  const after = openDeliveries({ from: new Date(from.getTime() + 3_600_000) })
  after.deliveries.restore(stored(before.deliveries.export()))
  await after.clock.step(0)
  expect(statuses(after.deliveries.messages.flatMap(attemptsOf))).toEqual([201])
})

it('the simulator saves a wait that starts during the close', async () => {
  const endpoint = await startEndpoint((response) => response.writeHead(500).end())
  const { deliveries, clock } = openDeliveries({ from })
  deliveries.addEndpoint(endpoint)
  deliveries.send(userCreated)
  await deliveries.close()
  await clock.step(60_000)
  expect(deliveries.export().messages).toMatchObject([
    { deliveries: [{ failures: 1, nextAttemptAtMs: from.getTime() + 5000 }] },
  ])
})

it('the simulator does not save finished messages', async () => {
  const { deliveries } = openDeliveries({ from })
  deliveries.addEndpoint(await startEndpoint())
  deliveries.send(userNumber(1))
  await deliveries.idle()
  expect(deliveries.export()).toMatchObject({ sent: 1, messages: [] })
})

it('the simulator uses new message ids after a restart without a file, even with the same seed', () => {
  const idOf = (at: number) => openDeliveries({ from: new Date(at) }).deliveries.send(userCreated).id
  expect(idOf(from.getTime())).toBe(idOf(from.getTime()))
  expect(idOf(from.getTime())).not.toBe(idOf(from.getTime() + 1))
})

it.each([
  ['its port cannot be opened', { host: 'simulator.invalid' }],
  ['an endpoint is invalid', { endpoints: [{ url: 'http://127.0.0.1:9/', secret: 'whsec_!!' }] }],
  ['a fault is invalid', { faults: { api: { unavailable: 2 } } }],
])('the simulator sends no saved message if the simulator does not start: %s', async (_, wrong) => {
  const endpoint = await startEndpoint((response, index) => response.writeHead(index < 1 ? 500 : 201).end())
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'simulator.json')
  const first = await createSimulator({ file, endpoints: [{ url: endpoint.url }], retryJitterShare: 0 })
  first.deliveries.send(userCreated)
  await first.deliveries.idle()
  await first.close()

  const late = { file, clockSpeed: 0.5, from: new Date(Date.now() + 60_000) }
  await expect(createSimulator({ ...late, ...wrong })).rejects.toThrow()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(endpoint.received).toHaveLength(1)

  await using second = await createSimulator(late)
  await expect.poll(() => endpoint.received.length).toBe(2)
  await second.deliveries.idle()
})
