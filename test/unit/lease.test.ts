import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import { createFakeClock, type FakeClock, sampleEvent } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { ledgerAround } from '../support/ledger-around.ts'

const hire = sampleEvent('organization.directory.user_created')
const leaseSeconds = 12

/** Runs a handler until its signal aborts, and records that time. */
function running(clock: FakeClock, own: (real: Ledger) => Partial<Ledger>) {
  const { ledger } = ledgerAround(own, clock)
  const abortedAtMs: number[] = []
  const dispatcher = createDispatcher({
    logger: false,
    clock,
    store: ledger,
    leaseSeconds,
    storeTimeoutSeconds: 2,
    onUserUpserted: (_event, { signal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          abortedAtMs.push(clock.monotonic())
          resolve()
        })
      }),
  })
  void dispatcher.dispatch(hire)
  return { abortedAtMs }
}

const never = () => new Promise<never>(() => {})

test('the signal aborts at the end of the lease if the store does not answer a renewal', async () => {
  const clock = createFakeClock()
  const { abortedAtMs } = running(clock, () => ({ renew: never }))
  await clock.advance(11_999)
  expect(abortedAtMs).toEqual([])
  await clock.advance(20_000)
  expect(abortedAtMs).toEqual([12_000])
})

test('the signal aborts at the end of the lease if each renewal fails', async () => {
  const clock = createFakeClock()
  const { abortedAtMs } = running(clock, () => ({
    async renew() {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 200))
      throw new Error('away')
    },
  }))
  await clock.advance(30_000)
  expect(abortedAtMs).toEqual([12_000])
})

test('a lease counts from the request, because the store may answer late', async () => {
  const clock = createFakeClock()
  const { abortedAtMs } = running(clock, (real) => ({
    renew: never,
    async begin(request) {
      const answer = await real.begin(request)
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1900))
      return answer
    },
  }))
  await clock.advance(30_000)
  expect(abortedAtMs).toEqual([12_000])
})

test('a renewal counts from the request too', async () => {
  const clock = createFakeClock()
  let renewals = 0
  const { abortedAtMs } = running(clock, (real) => ({
    async renew(...args) {
      if (++renewals > 1) return never()
      const answer = await real.renew(...args)
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1900))
      return answer
    },
  }))
  await clock.advance(30_000)
  expect(abortedAtMs).toEqual([16_000])
})

test('a process that stalled until the end of its lease aborts its handler', async () => {
  const clock = createFakeClock()
  let stalledMs = 0
  let renewals = 0
  const stalling: FakeClock = { ...clock, monotonic: () => clock.monotonic() + stalledMs }
  const { abortedAtMs } = running(stalling, () => ({
    async renew() {
      renewals++
      return true
    },
  }))
  await clock.advance(3000)
  stalledMs = 60_000
  await clock.advance(1000)
  expect(abortedAtMs).toHaveLength(1)
  expect(renewals).toBe(0)
})

test('a process that stalled before the answer of a renewal still aborts its handler in time', async () => {
  let stalledMs = 0
  const fake = createFakeClock()
  const clock: FakeClock = { ...fake, monotonic: () => fake.monotonic() + stalledMs }
  let renewals = 0
  const { abortedAtMs } = running(clock, (real) => ({
    async renew(...args) {
      if (++renewals > 1) return never()
      const answer = await real.renew(...args)
      stalledMs = 11_000
      return answer
    },
  }))
  await clock.advance(30_000)
  expect(abortedAtMs).toEqual([16_000])
})

test('a claim is released after the renewal that is under way, so that it stays released', async () => {
  const clock = createFakeClock()
  const { promise: renewed, resolve: renew } = Promise.withResolvers<void>()
  const { promise: work, reject: fail } = Promise.withResolvers<void>()
  const calls: string[] = []
  const { ledger } = ledgerAround(
    (real) => ({
      async renew(...args) {
        await renewed
        calls.push('renew')
        return real.renew(...args)
      },
      async release(claim) {
        calls.push('release')
        return real.release(claim)
      },
    }),
    clock,
  )
  const dispatcher = createDispatcher({ logger: false, clock, store: ledger, onUserUpserted: () => work })
  const dispatched = dispatcher.dispatch(hire)
  await clock.advance(4000)
  fail(new Error('away'))
  await clock.advance(10)
  renew()
  await clock.advance(10)
  expect((await dispatched).outcome).toBe('handler-failed')
  expect(calls).toEqual(['renew', 'release'])
})
