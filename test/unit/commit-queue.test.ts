import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import { createFakeClock, type FakeClock, sampleEvent } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { ledgerAround } from '../support/ledger-around.ts'
import { type LogLine, recordingLogger } from '../support/log.ts'

interface Scene {
  clock: FakeClock
  /** The real ledger behind the failing ledger. */
  real: Ledger
  lines: LogLine[]
  dispatcher: ReturnType<typeof createDispatcher>
  /** Runs an event of another user. */
  run(messageId: string): Promise<string>
}

/** Answers a commit. The function `real` sends the commit to the store. */
type Answer = (real: () => Promise<'ok' | 'lost'>, messageId: string) => Promise<'ok' | 'lost'>

function scene(answer: Answer): Scene {
  const clock = createFakeClock()
  const log = recordingLogger()
  const { ledger, real } = ledgerAround(
    (real) => ({
      commit: (claim, retention) => answer(() => real.commit(claim, retention), claim.messageId),
    }),
    clock,
  )
  const dispatcher = createDispatcher({ logger: log, clock, store: ledger, onUserUpserted: () => {} })
  return {
    clock,
    real,
    lines: log.lines,
    dispatcher,
    async run(messageId) {
      const event = sampleEvent('organization.directory.user_created', { data: { id: `user_${messageId}` } })
      const dispatched = dispatcher.dispatch(event, { idempotencyKey: messageId })
      await clock.advance(2500)
      return (await dispatched).outcome
    },
  }
}

const away = () => Promise.reject(new Error('away'))

async function stateOf({ real }: Scene, messageId: string): Promise<string> {
  return (await real.begin({ token: 'looks', messageId, leaseSeconds: 1 })).state
}

test('a message that is forgotten while its commit waits for the store stays forgotten', async () => {
  let up = false
  const it = scene((real) => (up ? real() : away()))
  expect(await it.run('kept')).toBe('processed')
  expect(await it.run('forgotten')).toBe('processed')
  expect(await it.dispatcher.forget('forgotten')).toBe(true)
  up = true
  await it.clock.advance(10_000)
  expect(await stateOf(it, 'kept')).toBe('duplicate')
  expect(await stateOf(it, 'forgotten')).toBe('begun')
})

test('a message that is forgotten during the retries is not retried', async () => {
  const retried: string[] = []
  let up = false
  const it = scene(async (real, messageId) => {
    if (!up) return away()
    retried.push(messageId)
    await it.dispatcher.forget(messageId === 'one' ? 'other' : 'one')
    return real()
  })
  await it.run('one')
  await it.run('other')
  up = true
  await it.clock.advance(10_000)
  expect(retried).toHaveLength(1)
  const [kept] = retried
  expect(await stateOf(it, kept === 'one' ? 'other' : 'one')).toBe('begun')
  expect(await stateOf(it, kept ?? '')).toBe('duplicate')
})

test('forget() waits for a commit that is under way', async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  let up = false
  const it = scene(async (real) => {
    if (!up) return away()
    await arrived
    return real()
  })
  await it.run('msg')
  up = true
  await it.clock.advance(3000)
  const forgotten = it.dispatcher.forget('msg')
  await it.clock.advance(100)
  arrive()
  await it.clock.advance(100)
  expect(await forgotten).toBe(true)
  await it.clock.advance(10_000)
  expect(await stateOf(it, 'msg')).toBe('begun')
})

test('a commit that fails during forget() is not retried', async () => {
  const { promise: arrived, reject: lose } = Promise.withResolvers<void>()
  let store: 'down' | 'slow' | 'up' = 'down'
  let sent = false
  const it = scene(async (real) => {
    if (store === 'down') return away()
    if (store === 'slow') {
      sent = true
      await arrived
    }
    return real()
  })
  await it.run('msg')
  store = 'slow'
  while (!sent) await it.clock.advance(50)
  const forgotten = it.dispatcher.forget('msg')
  await it.clock.advance(100)
  store = 'up'
  lose(new Error('lost'))
  await it.clock.advance(10_000)
  expect(await forgotten).toBe(true)
  expect(await stateOf(it, 'msg')).toBe('begun')
})

test('forget() rejects if the store has not answered a commit in time', async () => {
  const it = scene(() => new Promise(() => {}))
  expect(await it.run('msg')).toBe('processed')
  const forgotten = expect(it.dispatcher.forget('msg')).rejects.toMatchObject({
    name: 'StoreUnavailableError',
    message: expect.stringContaining('call forget() again'),
  })
  await it.clock.advance(3000)
  await forgotten
})

test('a commit that becomes pending while the last one is recorded is recorded too', async () => {
  let up = false
  let second: Promise<string> | undefined
  const it = scene(async (real, messageId) => {
    if (messageId === 'first' && up) {
      const answer = await real()
      // The store fails again before the first answer arrives.
      up = false
      second = it.run('second')
      return answer
    }
    return up ? real() : away()
  })
  await it.run('first')
  up = true
  await it.clock.advance(3000)
  expect(await second).toBe('processed')
  up = true
  await it.clock.advance(10_000)
  expect(await stateOf(it, 'first')).toBe('duplicate')
  expect(await stateOf(it, 'second')).toBe('duplicate')
})

test('closing retries pending commits at once', async () => {
  let up = false
  const it = scene((real) => (up ? real() : away()))
  await it.run('msg')
  up = true
  let closed = false
  void it.dispatcher.close().then(() => {
    closed = true
  })
  await it.clock.advance(0)
  expect(closed).toBe(true)
  expect(await stateOf(it, 'msg')).toBe('duplicate')
  expect(it.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('closing does not wait for retries if no commit is pending', async () => {
  const it = scene(away)
  await it.run('msg')
  await it.dispatcher.forget('msg')
  let closed = false
  void it.dispatcher.close().then(() => {
    closed = true
  })
  await it.clock.advance(0)
  expect(closed).toBe(true)
})

test('a commit that fails after the close is not reported as tried again', async () => {
  const { clock, dispatcher, lines } = scene(() => new Promise(() => {}))
  const dispatched = dispatcher.dispatch(sampleEvent('organization.directory.user_created'))
  await clock.advance(500)
  const closing = dispatcher.close({ graceSeconds: 0 })
  await clock.advance(1100)
  await closing
  await clock.advance(1000)
  expect((await dispatched).outcome).toBe('processed')
  const text = lines.map(({ message }) => message).join('\n')
  expect(text).toContain('closed before the store recorded the event')
  expect(text).not.toContain('trying again in the background')
})
