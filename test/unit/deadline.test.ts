import { type Clock, createReceiver, type Ledger } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import { createFakeClock, sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { ledgerAround } from '../support/ledger-around.ts'

const hire = sampleEvent('organization.directory.user_created')
const never = () => new Promise<never>(() => {})

function receiverOn(clock: Clock, own: (real: Ledger) => Partial<Ledger>, onUserUpserted = () => {}) {
  const { ledger } = ledgerAround(own, clock)
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    clock,
    store: ledger,
    deadlineSeconds: 9,
    storeTimeoutSeconds: 2,
    onUserUpserted,
  })
  const answers: [atMs: number, outcome: string][] = []
  const attempt = (messageId: string) =>
    receiver
      .receive({ url: '/', ...signDelivery(hire, { messageId, at: new Date(clock.now()) }) })
      .then(({ outcome }) => void answers.push([clock.monotonic(), outcome]))
  return { answers, attempt }
}

test('a resource that was busy until the deadline is answered busy, even if the last call was cut short', async () => {
  let asked = 0
  // Node's timers can fire early. In this test, all timers fire early.
  const early: Clock = {
    ...systemClock,
    setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs - 20),
  }
  const { ledger } = ledgerAround(() => ({
    begin: () => (++asked > 3 ? never() : Promise.resolve({ state: 'busy' })),
  }))
  const receiver = createReceiver({
    secret: TEST_SECRET,
    logger: false,
    clock: early,
    store: ledger,
    deadlineSeconds: 0.5,
    storeTimeoutSeconds: 2,
    onUserUpserted: () => {},
  })
  expect((await receiver.receive({ url: '/', ...signDelivery(hire) })).outcome).toBe('busy')
  expect(asked).toBe(4)
})

test('a store that exceeds its own time limit is answered store-unavailable, also after busy', async () => {
  const clock = createFakeClock()
  let asked = 0
  const { answers, attempt } = receiverOn(clock, () => ({
    begin: () => (++asked > 1 ? never() : Promise.resolve({ state: 'busy' })),
  }))
  void attempt('msg')
  await clock.advance(8000)
  expect(answers).toMatchObject([[expect.any(Number), 'store-unavailable']])
})

test('a reply does not wait for an earlier commit of the resource that the store does not record', async () => {
  const clock = createFakeClock()
  let runs = 0
  const { answers, attempt } = receiverOn(
    clock,
    () => ({ commit: never }),
    () => void runs++,
  )
  void attempt('first')
  await clock.advance(2500)
  expect(answers).toEqual([[2000, 'processed']])
  answers.length = 0
  // Each event waits for its turn, and then retries the commit of the first event.
  for (const messageId of ['a', 'b', 'c', 'd', 'e', 'f']) void attempt(messageId)
  await clock.advance(20_000)
  expect(answers).toHaveLength(6)
  for (const [atMs] of answers) expect(atMs).toBeLessThanOrEqual(2500 + 9050)
  expect(runs).toBe(1)
})
