import type { ReceiverOptions } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import type { WebhookFaults } from '@scalekit-scim/simulator'
import { describe, expect, it } from 'vitest'
import { subjects } from '../support/subjects.ts'
import {
  attemptsOf,
  openDeliveries,
  outcomes,
  startEndpoint,
  userCreated,
  userNumber,
} from './delivery-scene.ts'

/** Starts a real application on the simulator's clock, and its deliveries. */
async function scene(faults: WebhookFaults, options: ReceiverOptions = {}) {
  const { deliveries, clock } = openDeliveries({ faults })
  const handled: string[] = []
  const express = subjects.find(({ name }) => name === 'Express 5')
  const server = await express?.start({
    clock,
    onUserUpserted: ({ data }) => void handled.push(data.id),
    ...options,
  })
  deliveries.addEndpoint({ url: String(server?.url), secret: TEST_SECRET })
  return { deliveries, clock, handled }
}

const always = { share: 1 }

describe('drop', () => {
  it('the fault `drop` never sends the message, and marks it as dropped', async () => {
    const { deliveries, clock, handled } = await scene({ drop: always })
    const message = deliveries.send(userCreated)
    await clock.step(7 * 24 * 3_600_000)
    expect(message.deliveries).toMatchObject([{ state: 'dropped', attempts: [] }])
    expect(handled).toEqual([])
  })

  it('the fault `drop` lets a replay deliver the message', async () => {
    const { deliveries, handled } = await scene({ drop: always })
    const message = deliveries.send(userCreated)
    expect(outcomes(await deliveries.replay(message.id))).toEqual(['processed'])
    expect(message.deliveries).toMatchObject([{ state: 'delivered' }])
    expect(handled).toEqual([userCreated.data.id])
  })
})

describe('delay', () => {
  it('the fault `delay` delays the first attempt, on the simulator’s clock', async () => {
    const { deliveries, clock, handled } = await scene({ delay: { share: 1, seconds: 90 } })
    const message = deliveries.send(userCreated)
    await clock.step(89_999)
    expect(handled).toEqual([])
    expect(message.deliveries).toMatchObject([{ nextAttemptAtMs: message.createdAtMs + 90_000 }])
    await clock.step(1)
    expect(handled).toEqual([userCreated.data.id])
    expect(attemptsOf(message)).toMatchObject([{ faults: ['delay'] }])
  })
})

describe('duplicate', () => {
  it('the fault `duplicate` sends copies at the same time, and only one takes effect', async () => {
    const { deliveries, handled } = await scene({ duplicate: { share: 1, copies: 3 } })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message)).sort()).toEqual(['duplicate', 'duplicate', 'processed'])
    expect(attemptsOf(message).map(({ trigger }) => trigger)).toEqual(['schedule', 'duplicate', 'duplicate'])
    expect(handled).toEqual([userCreated.data.id])
  })

  it('the fault `duplicate` does not duplicate retries', async () => {
    const { deliveries, clock } = openDeliveries({ faults: { duplicate: always } })
    deliveries.addEndpoint(await startEndpoint((response) => response.writeHead(500).end()))
    const message = deliveries.send(userCreated)
    await clock.step(5000)
    expect(attemptsOf(message)).toHaveLength(3)
  })
})

describe('reorder', () => {
  it('the fault `reorder` sends later messages first', async () => {
    const { deliveries, handled } = await scene({ reorder: { share: 1, past: 2 } })
    deliveries.send(userNumber(1))
    deliveries.faults = {}
    deliveries.send(userNumber(2))
    await deliveries.idle()
    expect(handled).toEqual(['diruser_2'])
    deliveries.send(userNumber(3))
    await deliveries.idle()
    expect(handled).toEqual(['diruser_2', 'diruser_3', 'diruser_1'])
  })

  it('the fault `reorder` makes an older change arrive late, and the receiver skips it', async () => {
    const { deliveries } = await scene({ reorder: always })
    const at = (occurred_at: string) => ({ ...userCreated, occurred_at })
    const older = deliveries.send(at('2026-11-23T09:00:00Z'))
    deliveries.faults = {}
    const newer = deliveries.send(at('2026-11-23T09:00:01Z'))
    await deliveries.idle()
    expect(outcomes(attemptsOf(newer))).toEqual(['processed'])
    expect(outcomes(attemptsOf(older))).toEqual(['stale'])
  })

  it('the fault `reorder` waits for later messages for a limited time', async () => {
    const { deliveries, clock, handled } = await scene({ reorder: { share: 1, atMostSeconds: 30 } })
    deliveries.send(userNumber(1))
    deliveries.send(userNumber(2))
    await clock.step(29_999)
    expect(handled).toEqual([])
    await clock.step(1)
    expect(handled.sort()).toEqual(['diruser_1', 'diruser_2'])
  })
})

describe('corruptSignature', () => {
  it('a delivery with a corrupt signature is refused, and the retry delivers the message', async () => {
    const { deliveries, clock, handled } = await scene({ corruptSignature: always })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    deliveries.faults = {}
    expect(handled).toEqual([])
    await clock.step(5000)
    expect(outcomes(attemptsOf(message))).toEqual(['invalid-signature', 'processed'])
    expect(attemptsOf(message).map(({ faults }) => faults)).toEqual([['corruptSignature'], []])
  })
})

describe('clockSkew', () => {
  it.each([-301, 301])('a clock skew of %i seconds is refused', async (seconds) => {
    const { deliveries } = await scene({ clockSkew: { share: 1, seconds } })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message))).toEqual(['invalid-signature'])
  })

  it.each([-299, 299])('a clock skew of %i seconds is accepted', async (seconds) => {
    const { deliveries } = await scene({ clockSkew: { share: 1, seconds } })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message))).toEqual(['processed'])
  })
})

describe('truncate', () => {
  it('the fault `truncate` cuts the connection in the middle of the body', async () => {
    const { deliveries, clock, handled } = await scene({ truncate: { share: 1, keepShare: 0.25 } })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    deliveries.faults = {}
    await clock.step(5000)
    const bytes = JSON.stringify(userCreated).length
    const cut = `cut after ${Math.floor(bytes / 4)} of ${bytes} bytes`
    expect(outcomes(attemptsOf(message))).toEqual([cut, 'processed'])
    expect(handled).toEqual([userCreated.data.id])
  })

  it.each([0, 0.5, 1])('a body is cut after its share of %d', async (keepShare) => {
    const { deliveries } = openDeliveries({ faults: { truncate: { share: 1, keepShare } } })
    const endpoint = await startEndpoint()
    deliveries.addEndpoint(endpoint)
    deliveries.send(userCreated)
    await deliveries.idle()
    const whole = JSON.stringify(userCreated)
    // The last bytes may reach the server a moment after the connection was closed.
    await expect.poll(() => endpoint.received[0]?.isCut || endpoint.received[0]?.body === whole).toBe(true)
    expect(endpoint.received[0]?.body).toBe(whole.slice(0, Math.floor(whole.length * keepShare)))
  })

  it('the fault `truncate` can make a short body look complete, with a signature that does not match', async () => {
    const { deliveries } = await scene({ truncate: { share: 1, contentLength: 'short' } })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message))).toEqual(['invalid-signature'])
    const [attempt] = attemptsOf(message)
    const whole = JSON.stringify(userCreated)
    expect(attempt?.request.body).toBe(whole.slice(0, Math.floor(whole.length / 2)))
  })
})

describe('slow', () => {
  it('the fault `slow` sends the body in pieces, and the receiver joins them', async () => {
    const { deliveries } = await scene({ slow: { share: 1, seconds: 0.5 } })
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message))).toEqual(['processed'])
    expect(attemptsOf(message)[0]?.durationMs).toBeGreaterThanOrEqual(499)
  })

  it('a body slower than the receiver’s deadline gets a 408 before its end', async () => {
    const { deliveries } = await scene(
      { slow: { share: 1, seconds: 3600 } },
      { deadlineSeconds: 0.2, clock: systemClock },
    )
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message))).toEqual(['body-timeout'])
  })

  it('a body slower than the sender’s deadline ends the attempt', async () => {
    const { deliveries } = openDeliveries({
      faults: { slow: { share: 1, seconds: 3600 } },
      attemptDeadlineSeconds: 0.2,
    })
    deliveries.addEndpoint(await startEndpoint())
    const message = deliveries.send(userCreated)
    await deliveries.idle()
    expect(outcomes(attemptsOf(message))).toEqual(['no answer within 0.2 s'])
  })
})

it('a fault applies to its share of the attempts', async () => {
  const { deliveries } = openDeliveries({ faults: { drop: { share: 0.25 } } })
  deliveries.addEndpoint(await startEndpoint())
  const messages = Array.from({ length: 400 }, (_, number) => deliveries.send(userNumber(number)))
  await deliveries.idle()
  const dropped = messages.filter((message) => message.deliveries[0]?.state === 'dropped')
  expect(dropped.length).toBeGreaterThan(80)
  expect(dropped.length).toBeLessThan(120)
})

it('a fault applies to each endpoint independently', async () => {
  const { deliveries } = openDeliveries({ faults: { drop: { share: 0.5 } } })
  deliveries.addEndpoint(await startEndpoint())
  deliveries.addEndpoint(await startEndpoint())
  const messages = Array.from({ length: 100 }, (_, number) => deliveries.send(userNumber(number)))
  await deliveries.idle()
  const differ = messages.filter(({ deliveries: [one, two] }) => one?.state !== two?.state)
  expect(differ.length).toBeGreaterThan(30)
})

describe('a fault’s settings', () => {
  it.each<[string, unknown]>([
    ['There is no option `faults.webhooks.dropp`', { dropp: { share: 1 } }],
    ['There is no option `faults.webhooks.toString`', { toString: { share: 1 } }],
    ['`faults.webhooks.drop` must be an object', { drop: true }],
    ['`faults.webhooks.drop.share` must be a number from 0 to 1', { drop: { share: 1.5 } }],
    ['`faults.webhooks.drop.share` must be a number from 0 to 1', { drop: {} }],
    ['There is no option `faults.webhooks.drop.seconds`', { drop: { share: 1, seconds: 3 } }],
    ['`faults.webhooks.delay.seconds` must be a number', { delay: { share: 1 } }],
    ['`faults.webhooks.delay.seconds` must be a number', { delay: { share: 1, seconds: -1 } }],
    ['`faults.webhooks.duplicate.copies` must be a whole number', { duplicate: { share: 1, copies: 0 } }],
    [
      "`faults.webhooks.truncate.contentLength` must be 'full'",
      { truncate: { share: 1, contentLength: '' } },
    ],
  ])('wrong settings of a fault are refused: %s', (message, faults) => {
    const { deliveries } = openDeliveries()
    expect(() => Reflect.set(deliveries, 'faults', faults)).toThrow(message)
    expect(deliveries.faults).toEqual({})
  })
})
