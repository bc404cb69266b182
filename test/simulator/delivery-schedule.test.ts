import { describe, expect, it } from 'vitest'
import {
  attemptsOf,
  openDeliveries,
  startEndpoint,
  statuses,
  userCreated,
  userNumber,
} from './delivery-scene.ts'

const refuses = (status: number, headers = {}) =>
  startEndpoint((response) => response.writeHead(status, headers).end())

it('the simulator makes eight attempts at Scalekit’s intervals, and then stops', async () => {
  const { deliveries, clock } = openDeliveries()
  deliveries.addEndpoint(await refuses(500))
  const message = deliveries.send(userCreated)
  await clock.step(7 * 24 * 3_600_000)
  const seconds = attemptsOf(message).map(({ startedAtMs }) => (startedAtMs - message.createdAtMs) / 1000)
  expect(seconds).toEqual([0, 5, 305, 2105, 9305, 27_305, 63_305, 99_305])
  expect(message.deliveries).toMatchObject([{ state: 'failed' }])
  expect(message.deliveries[0]).not.toHaveProperty('nextAttemptAtMs')
})

it('the simulator shows the time of the next attempt', async () => {
  const { deliveries, clock } = openDeliveries()
  deliveries.addEndpoint(await refuses(500))
  const message = deliveries.send(userCreated)
  await clock.step(5000)
  expect(message.deliveries).toMatchObject([
    { state: 'pending', nextAttemptAtMs: message.createdAtMs + 305_000 },
  ])
})

it('the simulator varies each wait by up to a fifth, for each message and attempt', async () => {
  const { deliveries, clock } = openDeliveries({ retryJitterShare: 0.2 })
  deliveries.addEndpoint(await refuses(500))
  const messages = Array.from({ length: 50 }, (_, number) => deliveries.send(userNumber(number)))
  await clock.step(400_000)
  const waits = messages.flatMap((message) => {
    const [first, second, third] = attemptsOf(message).map(({ startedAtMs }) => startedAtMs)
    return [((second ?? 0) - (first ?? 0)) / 5000, ((third ?? 0) - (second ?? 0)) / 300_000]
  })
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(0.8)
  expect(Math.max(...waits)).toBeLessThanOrEqual(1.2)
  // The waits use the whole range: the extremes of a hundred fair draws are close to its ends.
  expect(Math.min(...waits)).toBeLessThan(0.84)
  expect(Math.max(...waits)).toBeGreaterThan(1.16)
})

describe.each([200, 201])('a reply of %i', (status) => {
  it('a reply of %i', async () => {
    const { deliveries, clock } = openDeliveries()
    deliveries.addEndpoint(await refuses(status))
    const message = deliveries.send(userCreated)
    await clock.step(3_600_000)
    expect(message.deliveries).toMatchObject([{ state: 'delivered' }])
    expect(statuses(attemptsOf(message))).toEqual([status])
  })
})

describe.each([202, 203, 204, 301, 302, 307, 308, 400, 410, 500])('a reply of %i', (status) => {
  it('a reply of %i', async () => {
    const { deliveries, clock } = openDeliveries()
    const elsewhere = await startEndpoint()
    const endpoint = await refuses(status, status >= 300 && status < 400 ? { location: elsewhere.url } : {})
    deliveries.addEndpoint(endpoint)
    const message = deliveries.send(userCreated)
    await clock.step(5000)
    expect(statuses(attemptsOf(message))).toEqual([status, status])
    expect(message.deliveries).toMatchObject([{ state: 'pending' }])
    expect(elsewhere.received).toEqual([])
  })
})

it('the simulator waits at least a minute after a 429', async () => {
  const { deliveries, clock } = openDeliveries()
  deliveries.addEndpoint(await refuses(429))
  const message = deliveries.send(userCreated)
  await clock.step(1000_000)
  const seconds = attemptsOf(message).map(({ startedAtMs }) => (startedAtMs - message.createdAtMs) / 1000)
  expect(seconds).toEqual([0, 60, 360])
})

it('the simulator ends an attempt without an answer at the deadline, and waits at least a minute after it', async () => {
  const { deliveries, clock } = openDeliveries({ attemptDeadlineSeconds: 1 })
  const endpoint = await startEndpoint((response, index) => {
    if (index > 0) response.writeHead(201).end()
  })
  deliveries.addEndpoint(endpoint)
  const message = deliveries.send(userCreated)
  await clock.step(59_999)
  expect(attemptsOf(message)).toMatchObject([{ error: 'no answer within 1 s' }])
  await clock.step(1)
  expect(statuses(attemptsOf(message))).toEqual([undefined, 201])
})

it('the simulator applies the deadline to the whole answer', async () => {
  const { deliveries, clock } = openDeliveries({ attemptDeadlineSeconds: 0.1 })
  deliveries.addEndpoint(await startEndpoint((response) => response.writeHead(200).write('and so on')))
  const message = deliveries.send(userCreated)
  await clock.step(0)
  expect(attemptsOf(message)).toMatchObject([{ error: 'no answer within 0.1 s' }])
  expect(message.deliveries).toMatchObject([{ state: 'pending' }])
})

it('the simulator does not count the time in which this process is busy with changes', async () => {
  const { deliveries } = openDeliveries({ attemptDeadlineSeconds: 1 })
  deliveries.addEndpoint(await startEndpoint())
  const message = deliveries.send(userCreated)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500)
  await deliveries.idle()
  expect(statuses(attemptsOf(message))).toEqual([201])
})

it('the simulator counts refused and cut connections as failures, with the cause', async () => {
  const { deliveries, clock } = openDeliveries()
  const gone = await startEndpoint()
  await gone.close()
  deliveries.addEndpoint(gone)
  deliveries.addEndpoint(await startEndpoint((response) => response.socket?.destroy()))
  const message = deliveries.send(userCreated)
  await clock.step(5000)
  expect(message.deliveries).toMatchObject([
    { attempts: [{ error: expect.stringContaining('ECONNREFUSED') }, {}] },
    { attempts: [{ error: 'socket hang up' }, {}] },
  ])
})

it('the simulator retries in real time on a running clock', async () => {
  const { deliveries, clock } = openDeliveries()
  const endpoint = await startEndpoint((response, index) => response.writeHead(index < 3 ? 500 : 201).end())
  deliveries.addEndpoint(endpoint)
  clock.speed = 10_000
  const delivered = new Promise<void>((resolve) => {
    deliveries.onChange(({ deliveries: [delivery] }) => delivery?.state === 'delivered' && resolve())
  })
  const message = deliveries.send(userCreated)
  await delivered
  expect(statuses(attemptsOf(message))).toEqual([500, 500, 500, 201])
})

it('the simulator immediately counts a 101 as a failure, and not as a timeout', async () => {
  const { deliveries, clock } = openDeliveries()
  const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'
  deliveries.addEndpoint(await startEndpoint((response) => response.socket?.write(upgrade)))
  const message = deliveries.send(userCreated)
  await clock.step(0)
  expect(attemptsOf(message)).toMatchObject([{ error: 'the connection closed without an answer' }])
  // After a timeout, the next attempt would come after 60 s.
  expect(message.deliveries).toMatchObject([{ nextAttemptAtMs: message.createdAtMs + 5000 }])
})
