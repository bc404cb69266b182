import { createDispatcher } from '@scalekit-scim/core'
import { createFakeClock, type FakeClock, sampleEvent } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { ledgerAround } from '../support/ledger-around.ts'

const hire = sampleEvent('organization.directory.user_created')
const leaseSeconds = 12
const retention = { retentionSeconds: 345_600, watermarkRetentionSeconds: 3_024_000 }

/** A clock on which `stall` lets time pass although no timer fires, as in a process that does not run. */
function stallingClock(): FakeClock & { stall(ms: number): void } {
  const clock = createFakeClock()
  let stalledMs = 0
  return {
    ...clock,
    monotonic: () => clock.monotonic() + stalledMs,
    stall: (ms) => {
      stalledMs += ms
    },
  }
}

test('a handler does not begin under a lease that has lapsed while the answer was on its way', async () => {
  const clock = stallingClock()
  let runs = 0
  const { ledger } = ledgerAround(
    (real) => ({
      async begin(request) {
        const answer = await real.begin(request)
        if (answer.state !== 'begun') return answer
        clock.stall(leaseSeconds * 1000)
        const other = { ...request, token: 'another process' }
        const taken = await real.begin(other)
        if (taken.state !== 'begun') throw new Error(`the other process got ${taken.state}`)
        await real.commit({ ...other, deletion: false, ...taken }, retention)
        return answer
      },
    }),
    clock,
  )
  const dispatcher = createDispatcher({
    logger: false,
    clock,
    store: ledger,
    leaseSeconds,
    onUserUpserted: () => void runs++,
  })
  expect((await dispatcher.dispatch(hire)).outcome).toBe('duplicate')
  expect(runs).toBe(0)
})

test('a claim that cannot be used any more is released', async () => {
  const clock = stallingClock()
  const released: string[] = []
  const { ledger } = ledgerAround(
    (real) => ({
      async begin(request) {
        const answer = await real.begin(request)
        clock.stall(3_600_000)
        return answer
      },
      async release(claim) {
        released.push(claim.messageId)
        return real.release(claim)
      },
    }),
    clock,
  )
  const dispatcher = createDispatcher({ logger: false, clock, store: ledger, onUserUpserted: () => {} })
  const { outcome } = await dispatcher.dispatch(hire, { idempotencyKey: 'msg_1' })
  expect({ outcome, released }).toEqual({ outcome: 'busy', released: ['msg_1'] })
})

test.each([
  ['the lease has lapsed', (clock: { stall(ms: number): void }) => clock.stall(leaseSeconds * 1000)],
  ['the dispatcher has aborted the signal', (_: unknown, close: () => void) => close()],
])('the next handler of an event does not begin if %s', async (_name, befall) => {
  const clock = stallingClock()
  let runs = 0
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    clock,
    leaseSeconds,
    onEvent: async () => {
      befall(clock, () => void dispatcher.close({ graceSeconds: 0 }))
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 10))
    },
    onUserUpserted: () => void runs++,
  })
  const dispatched = dispatcher.dispatch(hire)
  await clock.advance(100)
  expect((await dispatched).outcome).toBe('handler-failed')
  expect(runs).toBe(0)
})
