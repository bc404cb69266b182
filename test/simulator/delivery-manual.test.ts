import { TEST_SECRET } from '@scalekit-scim/core/testing'
import type { Message } from '@scalekit-scim/simulator'
import { describe, expect, it } from 'vitest'
import { subjects } from '../support/subjects.ts'
import {
  attemptsOf,
  groupCreated,
  openDeliveries,
  outcomes,
  startEndpoint,
  statuses,
  userCreated,
  userNumber,
} from './delivery-scene.ts'

describe.each(subjects)('with an application on $name', ({ start }) => {
  it('a replay of a processed message is a duplicate', async () => {
    const { deliveries, clock } = openDeliveries()
    let runs = 0
    const { url } = await start({ clock, onUserCreated: () => void runs++ })
    deliveries.addEndpoint({ url, secret: TEST_SECRET })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(await deliveries.replay(message.id))).toEqual(['duplicate'])
    expect(outcomes(await deliveries.duplicate(message.id, 3))).toEqual([
      'duplicate',
      'duplicate',
      'duplicate',
    ])
    expect(outcomes(await deliveries.forge(message.id))).toEqual(['invalid-signature'])
    const triggers = ['schedule', 'replay', 'duplicate', 'duplicate', 'duplicate', 'forge']
    expect(attemptsOf(message).map(({ trigger }) => trigger)).toEqual(triggers)
    expect(attemptsOf(message).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6])
    expect(attemptsOf(message)[5]?.faults).toEqual(['forge'])
    expect(runs).toBe(1)
  })
})

it('a replay that fails is not retried', async () => {
  const { deliveries, clock } = openDeliveries()
  const endpoint = await startEndpoint((response, index) => response.writeHead(index === 0 ? 201 : 500).end())
  deliveries.addEndpoint(endpoint)
  const { id } = deliveries.send(userCreated)
  await deliveries.idle()
  expect(statuses(await deliveries.replay(id))).toEqual([500])
  await clock.step(24 * 3_600_000)
  expect(endpoint.received).toHaveLength(2)
})

it('a delivered replay ends the retries, and a failed one does not change them', async () => {
  const { deliveries, clock } = openDeliveries()
  const endpoint = await startEndpoint((response, index) => response.writeHead(index === 3 ? 201 : 500).end())
  deliveries.addEndpoint(endpoint)
  const message = deliveries.send(userCreated)
  await clock.step(2000)
  await deliveries.replay(message.id)
  await clock.step(3000)
  expect(attemptsOf(message).map(({ startedAtMs }) => startedAtMs - message.createdAtMs)).toEqual([
    0, 2000, 5000,
  ])
  await deliveries.replay(message.id)
  expect(message.deliveries).toMatchObject([{ state: 'delivered' }])
  await clock.step(24 * 3_600_000)
  expect(endpoint.received).toHaveLength(4)
})

it('a forged attempt does not deliver the message, even if the endpoint accepts it', async () => {
  const { deliveries } = openDeliveries()
  deliveries.addEndpoint(
    await startEndpoint((response, index) => response.writeHead(index === 0 ? 500 : 201).end()),
  )
  const message = deliveries.send(userCreated)
  await deliveries.idle()
  expect(statuses(await deliveries.forge(message.id))).toEqual([201])
  expect(message.deliveries).toMatchObject([{ state: 'pending' }])
})

it('duplicates are sent at the same time', async () => {
  const { deliveries } = openDeliveries()
  const waiting: (() => void)[] = []
  const endpoint = await startEndpoint((response, index) => {
    if (index === 0) return response.writeHead(201).end()
    waiting.push(() => response.writeHead(201).end())
    if (waiting.length === 5) for (const answer of waiting) answer()
  })
  deliveries.addEndpoint(endpoint)
  const { id } = deliveries.send(userCreated)
  await deliveries.idle()
  // The endpoint answers when it has received all five attempts. So sequential attempts would hang.
  expect(statuses(await deliveries.duplicate(id, 5))).toEqual([201, 201, 201, 201, 201])
})

it('the simulator sends an endpoint only its event types', async () => {
  const { deliveries } = openDeliveries()
  const [all, groups] = [await startEndpoint(), await startEndpoint()]
  deliveries.addEndpoint(all)
  deliveries.addEndpoint({ url: groups.url, types: ['organization.directory.group_created'] })
  const user = deliveries.send(userCreated)
  deliveries.send(groupCreated)
  await deliveries.idle()
  expect(all.received.map(({ body }) => JSON.parse(body).type)).toEqual([userCreated.type, groupCreated.type])
  expect(groups.received.map(({ body }) => JSON.parse(body).type)).toEqual([groupCreated.type])
  expect(user.deliveries).toHaveLength(1)
})

it('the simulator uses one message id for all endpoints, and separate retries and signatures', async () => {
  const { deliveries, clock } = openDeliveries()
  const [well, ill] = [
    await startEndpoint(),
    await startEndpoint((response, index) => response.writeHead(index === 0 ? 500 : 201).end()),
  ]
  deliveries.addEndpoint({ url: well.url })
  deliveries.addEndpoint({ url: ill.url })
  const message = deliveries.send(userCreated)
  await clock.step(5000)
  const ids = [...well.received, ...ill.received].map(({ headers }) => headers['webhook-id'])
  expect(ids).toEqual([message.id, message.id, message.id])
  expect(message.id).toMatch(/^msg_[0-9A-Za-z]{27}$/)
  const signatures = [well, ill].map(({ received }) => received[0]?.headers['webhook-signature'])
  expect(signatures[0]).not.toBe(signatures[1])
})

it('the simulator replays to an endpoint that was added later', async () => {
  const { deliveries, clock } = openDeliveries()
  const message = deliveries.send(userCreated)
  const endpoint = await startEndpoint((response, index) => response.writeHead(index === 0 ? 500 : 201).end())
  const { id } = deliveries.addEndpoint(endpoint)
  expect(await deliveries.replay(message.id)).toEqual([])
  expect(statuses(await deliveries.replay(message.id, id))).toEqual([500])
  expect(message.deliveries).toMatchObject([{ state: 'failed' }])
  await clock.step(24 * 3_600_000)
  expect(endpoint.received).toHaveLength(1)
  expect(statuses(await deliveries.replay(message.id, id))).toEqual([201])
  expect(message.deliveries).toMatchObject([{ state: 'delivered' }])
})

it('the simulator stops the pending deliveries to a removed endpoint', async () => {
  const { deliveries, clock } = openDeliveries()
  const endpoint = await startEndpoint((response) => response.writeHead(500).end())
  const { id } = deliveries.addEndpoint(endpoint)
  const message = deliveries.send(userCreated)
  await deliveries.idle()
  deliveries.removeEndpoint(id)
  await clock.step(24 * 3_600_000)
  expect(message.deliveries).toMatchObject([{ state: 'failed' }])
  expect(endpoint.received).toHaveLength(1)
  await expect(deliveries.replay(message.id, id)).rejects.toMatchObject({ reason: 'not-found' })
})

it.each(['replay', 'duplicate', 'forge'] as const)('%s of an unknown message is refused', async (verb) => {
  const { deliveries } = openDeliveries()
  await expect(deliveries[verb]('msg_none')).rejects.toMatchObject({ reason: 'not-found' })
})

it('the simulator refuses an invalid endpoint', () => {
  const { deliveries } = openDeliveries()
  for (const url of ['', 'localhost:3000', 'ftp://127.0.0.1/', '/webhooks/scalekit']) {
    expect(() => deliveries.addEndpoint({ url })).toThrow('url must be a full http or https URL')
  }
  const add = () => deliveries.addEndpoint({ url: 'http://127.0.0.1:1/', secret: 'whsec_!' })
  expect(add).toThrow(expect.objectContaining({ code: 'ERR_SCIM_SECRET_INVALID' }))
})

it('the simulator calls the listener at each change of a message', async () => {
  const { deliveries } = openDeliveries()
  deliveries.addEndpoint(await startEndpoint())
  const seen: string[] = []
  const stop = deliveries.onChange(({ deliveries: [delivery] }: Message) => {
    seen.push(`${delivery?.state} ${delivery?.attemptsUnderWay} ${delivery?.attempts.length}`)
  })
  deliveries.send(userCreated)
  await deliveries.idle()
  expect([...new Set(seen)]).toEqual(['pending 1 0', 'delivered 0 1'])
  stop()
  deliveries.send(userCreated)
  await deliveries.idle()
  expect(seen.filter((state) => state === 'pending 1 0').length).toBeLessThanOrEqual(2)
})

it('the simulator limits the connections to an endpoint', async () => {
  const { deliveries } = openDeliveries({ connectionsPerEndpoint: 4 })
  let [open, most] = [0, 0]
  const endpoint = await startEndpoint((response) => {
    most = Math.max(most, ++open)
    setImmediate(() => {
      open--
      response.writeHead(201).end()
    })
  })
  endpoint.server.maxConnections = 4
  deliveries.addEndpoint(endpoint)
  const messages = Array.from({ length: 500 }, (_, number) => deliveries.send(userNumber(number)))
  await deliveries.idle()
  expect(most).toBeLessThanOrEqual(4)
  expect(new Set(messages.flatMap((message) => statuses(attemptsOf(message))))).toEqual(new Set([201]))
})

it('the simulator sends in the order of the changes', async () => {
  const { deliveries } = openDeliveries({ connectionsPerEndpoint: 1 })
  const endpoint = await startEndpoint()
  deliveries.addEndpoint(endpoint)
  const ids = Array.from({ length: 50 }, (_, number) => deliveries.send(userNumber(number)).id)
  await deliveries.idle()
  expect(endpoint.received.map(({ headers }) => headers['webhook-id'])).toEqual(ids)
  expect(ids).toEqual([...ids].sort())
})

it('the simulator keeps the newest finished messages and all pending messages', async () => {
  const { deliveries } = openDeliveries({ keptMessages: 10 })
  deliveries.addEndpoint(
    await startEndpoint((response, index) => response.writeHead(index < 3 ? 500 : 201).end()),
  )
  const pending = [1, 2, 3].map((number) => deliveries.send(userNumber(number)))
  await deliveries.idle()
  const later = Array.from({ length: 30 }, (_, number) => deliveries.send(userNumber(100 + number)))
  await deliveries.idle()
  expect(deliveries.messages).toHaveLength(13)
  expect(deliveries.messages.slice(0, 3)).toEqual(pending)
  expect(deliveries.message(String(later[0]?.id))).toBeUndefined()
})

it('the simulator logs 64 kB of a reply, and reads it to its end', async () => {
  const { deliveries } = openDeliveries()
  deliveries.addEndpoint(
    await startEndpoint((response) => response.writeHead(201).end('x'.repeat(1_000_000))),
  )
  const message = deliveries.send(userCreated)
  await deliveries.idle()
  expect(attemptsOf(message)[0]?.response?.body).toHaveLength(65_536)
  expect(message.deliveries).toMatchObject([{ state: 'delivered' }])
})

it('the simulator waits for the attempts under way before it closes, and starts no new attempts', async () => {
  const { deliveries, clock } = openDeliveries({ connectionsPerEndpoint: 1 })
  const endpoint = await startEndpoint((response) => setImmediate(() => response.writeHead(500).end()))
  deliveries.addEndpoint(endpoint)
  const [under, waiting] = [deliveries.send(userNumber(1)), deliveries.send(userNumber(2))]
  await deliveries.close()
  await clock.step(24 * 3_600_000)
  expect(statuses(attemptsOf(under))).toEqual([500])
  expect(attemptsOf(waiting)).toEqual([])
  expect(endpoint.received).toHaveLength(1)
  expect(() => deliveries.send(userCreated)).toThrow('deliveries are closed')
})
