import { createDispatcher, type Ledger } from '@scalekit-scim/core'
import { errorFields } from '@scalekit-scim/core/internal'
import { sampleEvent, signDelivery } from '@scalekit-scim/core/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseEvent } from '../../packages/core/src/events/parse-event.ts'
import { unexpectedFields } from '../../packages/core/src/events/unexpected-fields.ts'
import { faultyStore } from '../support/faulty-store.ts'
import { ledgerAround } from '../support/ledger-around.ts'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { subjects } from '../support/subjects.ts'
import { send } from '../support/wire.ts'

// In these tests, handlers, resolvers and ledgers throw or return odd values that the types allow. Each attempt still
// gets its documented reply, and the process does not end.

const unhandled: unknown[] = []
const listener = (error: unknown) => void unhandled.push(error)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', listener)
})
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  process.off('unhandledRejection', listener)
  expect(unhandled).toEqual([])
})

const secret = 'amelia.hart@example.com'
const trap = (name: string) =>
  Object.defineProperty(new Error('api'), name, {
    get() {
      throw new Error(secret)
    },
  })
const hostile: [name: string, thrown: unknown][] = [
  ['an error whose message is null', Object.assign(new Error('api'), { message: null })],
  ['an error whose message is undefined', Object.assign(new Error('api'), { message: undefined })],
  ['an error whose stack is a list', Object.assign(new Error('api'), { stack: [] })],
  ...['message', 'stack', 'name', 'code'].map((name): [string, unknown] => [
    `an error whose ${name} throws`,
    trap(name),
  ]),
  [
    'a proxy that throws on each access',
    new Proxy(new Error('api'), {
      has() {
        throw new Error(secret)
      },
      getPrototypeOf() {
        throw new Error(secret)
      },
    }),
  ],
  ['null', null],
  ['undefined', undefined],
  ['a frozen object', Object.freeze({ message: secret })],
]

const upsert = () => signDelivery(sampleEvent('organization.directory.user_updated'))

describe.each(subjects)('$name', ({ start }) => {
  test.each(hostile)('a handler that throws %s is answered as handler-failed', async (_name, thrown) => {
    const logger = recordingLogger()
    const { url } = await start({
      logger,
      onUserUpserted: () => {
        throw thrown
      },
    })
    expectReply(await send(url, upsert()), 'handler-failed')
    expect(logger.text()).not.toContain(secret)
  })

  test.each(hostile)('a resolver that throws %s is answered as resolver-failed', async (_name, thrown) => {
    const { url } = await start({
      secret: () => {
        throw thrown
      },
      onUserUpserted: () => {},
    })
    expectReply(await send(url, upsert()), 'resolver-failed')
  })

  test.each(hostile)('a ledger that throws %s is answered as store-unavailable', async (_name, thrown) => {
    const logger = recordingLogger()
    const { ledger } = ledgerAround(() => ({ begin: () => Promise.reject(thrown) }))
    const { url } = await start({ logger, store: ledger, onUserUpserted: () => {} })
    expectReply(await send(url, upsert()), 'store-unavailable')
    expect(logger.text()).not.toContain(secret)
  })

  test.each([
    ['its data deleted', (event: { data?: unknown }) => delete event.data],
    ['its data emptied', (event: { data?: unknown }) => void Object.assign(event, { data: null })],
    [
      'its ids changed',
      (event: object) => void Object.assign(event, { id: secret, organization_id: secret }),
    ],
  ])(
    'if a handler leaves an event with %s, it is done, and is logged as it arrived',
    async (_name, mutate) => {
      const logger = recordingLogger()
      const { url } = await start({ logger, onUserUpserted: (event) => void mutate(event as never) })
      expectReply(await send(url, upsert()), 'processed')
      expect(logger.text()).not.toContain(secret)
      expect(logger.lines.at(-1)?.fields).toMatchObject({ resourceId: 'diruser_53891546960232461' })
    },
  )
})

test('a handler that throws an odd value after the deadline does not end the process', async () => {
  const [subject] = subjects
  for (const [, thrown] of hostile) {
    let ended = () => {}
    const late = new Promise<void>((resolve) => {
      ended = resolve
    })
    const server = await subject?.start({
      deadlineSeconds: 0.05,
      onUserUpserted: async (event) => {
        await new Promise((resolve) => setTimeout(resolve, 100))
        Object.assign(event, { data: null })
        ended()
        throw thrown
      },
    })
    expectReply(await send(server?.url ?? '', upsert()), 'deadline')
    await late
    await server?.close()
  }
})

test('the log omits error names that are not words, and stack lines that are not frames', async () => {
  const logger = recordingLogger()
  const error = new Error(`first\n    at ${secret}\n    at (/home/${secret}:1:1)`)
  error.name = secret
  void error.stack
  error.message = 'changed'
  const dispatcher = createDispatcher({
    logger,
    store: 'memory',
    onUserUpserted: () => {
      throw error
    },
  })
  const { outcome } = await dispatcher.dispatch(sampleEvent('organization.directory.user_updated'))
  expect(outcome).toBe('handler-failed')
  expect(logger.text()).not.toContain(secret)
})

test('the log skips stack lines that are longer than any frame', () => {
  const error = new Error('the cause said more')
  const frame = (path: string) => `    at save (/app/${path}.ts:1:1)`
  error.stack = ['Error: the cause said more', frame('a'.repeat(500)), frame('accounts')].join('\n')
  expect(errorFields(error).errorAt).toBe('at save (/app/accounts.ts:1:1)')
})

test('only the first entries of a list with a hundred thousand wrong entries are reported', () => {
  const event = sampleEvent('organization.directory.user_updated')
  const groups = Array.from({ length: 100_000 }, () => 0)
  const parsed = parseEvent({ ...event, data: { ...event.data, groups } }, 'msg_1')
  if ('unusable' in parsed) throw new Error(parsed.unusable)
  expect(unexpectedFields(parsed.event)).toHaveLength(20)
  expect(parsed.event.data).toMatchObject({ groups })
})

test('an older event never runs while the commit of a newer one is not recorded', async () => {
  const { keyv, fail } = faultyStore()
  const applied: string[] = []
  const dispatcher = createDispatcher({
    logger: false,
    store: keyv,
    leaseSeconds: 0.4,
    storeTimeoutSeconds: 0.1,
    onUserUpserted: (event) => {
      applied.push(event.occurred_at)
      if (event.occurred_at.includes('09:05')) fail({ kind: 'hang' })
    },
  })
  const at = (time: string) =>
    sampleEvent('organization.directory.user_updated', { occurred_at: `2026-11-23T${time}:00Z` })
  const outcome = async (time: string) => (await dispatcher.dispatch(at(time))).outcome

  expect(await outcome('09:05')).toBe('processed')
  await new Promise((resolve) => setTimeout(resolve, 600)) // the lease has expired
  expect(await outcome('09:00')).toBe('store-unavailable')
  fail(undefined)
  expect(await outcome('09:00')).toBe('stale')
  expect(applied).toEqual(['2026-11-23T09:05:00Z'])
  await dispatcher.close({ graceSeconds: 0 })
})

test('an attempt is answered busy at the deadline, also with a slow store', async () => {
  const memory = createDispatcher({ logger: false, store: 'memory', onUserUpserted: () => {} }).ledger
  const slow: Ledger = new Proxy(memory, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        await new Promise((resolve) => setTimeout(resolve, 15))
        return Reflect.apply(value, target, args)
      }
    },
  })
  const [subject] = subjects
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const first = await subject?.start({ store: slow, onUserUpserted: () => held })
  const second = await subject?.start({ store: slow, deadlineSeconds: 0.3, onUserUpserted: () => {} })
  const running = send(first?.url ?? '', upsert())
  await new Promise((resolve) => setTimeout(resolve, 100))
  for (let copy = 0; copy < 5; copy++) expectReply(await send(second?.url ?? '', upsert()), 'busy')
  release()
  expectReply(await running, 'processed')
})

test('an unknown answer of a ledger is answered as store-unavailable', async () => {
  const memory = createDispatcher({ logger: false, store: 'memory', onUserUpserted: () => {} }).ledger
  const odd = Object.assign(Object.create(memory), {
    guarantee: memory.guarantee,
    begin: async () => ({ state: 'whatever' }),
  })
  const [subject] = subjects
  const server = await subject?.start({ store: odd, onUserUpserted: () => {} })
  expectReply(await send(server?.url ?? '', upsert()), 'store-unavailable')
})
