import { createRequire } from 'node:module'
import { createDispatcher, DropEvent } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { describe, expect, test } from 'vitest'

// Three copies of one class, from the sources, the build for `import` and the build for `require`.
type Core = typeof import('@scalekit-scim/core')
const built = new URL('../../packages/core/dist/', import.meta.url)
const cjs: Core = createRequire(import.meta.url)(new URL('index.cjs', built).pathname)
const esm: Core = await import(new URL('index.js', built).href)

const copies = { sources: { createDispatcher, DropEvent }, cjs, esm }
const event = sampleEvent('organization.directory.user_created')

async function outcomeOf(core: Pick<Core, 'createDispatcher'>, thrown: unknown) {
  const dispatcher = core.createDispatcher({
    logger: false,
    onUserUpserted: () => {
      throw thrown
    },
  })
  return dispatcher.dispatch(event)
}

test('the three copies are different classes', () => {
  expect(new Set(Object.values(copies).map((copy) => copy.DropEvent)).size).toBe(3)
})

describe.each(Object.entries(copies))('a dispatcher of %s', (_name, core) => {
  test.each(Object.entries(copies))('a DropEvent of %s drops the event', async (_name, thrower) => {
    const error = new thrower.DropEvent('seat-limit')
    expect(await outcomeOf(core, error)).toEqual({ outcome: 'dropped', reason: 'seat-limit', error })
  })
})

test('a DropEvent is an Error with a name, a message and a stack', () => {
  const error = new DropEvent('seat-limit')
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'DropEvent', message: 'seat-limit' })
  expect(error.stack).toContain('drop-event.test')
})

test('a subclass of DropEvent drops the event', async () => {
  class SeatLimit extends DropEvent {}
  expect((await outcomeOf(cjs, new SeatLimit('seat-limit'))).outcome).toBe('dropped')
})

test.each([
  ['an Error of the same name', Object.assign(new Error('seat-limit'), { name: 'DropEvent' })],
  ['text', 'DropEvent'],
  ['null', null],
  ['nothing', undefined],
])('%s fails the event and does not drop it', async (_name, thrown) => {
  expect((await outcomeOf({ createDispatcher }, thrown)).outcome).toBe('handler-failed')
})

test('a dropped message is done, so its retry is a duplicate', async () => {
  const dispatcher = createDispatcher({
    logger: false,
    onUserUpserted: () => {
      throw new DropEvent('seat-limit')
    },
  })
  const options = { idempotencyKey: 'msg_1' }
  expect((await dispatcher.dispatch(event, options)).outcome).toBe('dropped')
  expect((await dispatcher.dispatch(event, options)).outcome).toBe('duplicate')
})

test.each([
  [
    'throws',
    {
      get(): never {
        throw new Error('unreadable')
      },
    },
  ],
  [
    'is not text',
    {
      value: {
        toString() {
          throw new Error('unreadable')
        },
      },
    },
  ],
])('a DropEvent whose message %s drops the event', async (_name, message) => {
  const error = Object.defineProperty(new DropEvent('seat-limit'), 'message', message)
  expect(await outcomeOf({ createDispatcher }, error)).toEqual({
    outcome: 'dropped',
    reason: 'unreadable',
    error,
  })
})
