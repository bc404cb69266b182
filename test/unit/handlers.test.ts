import {
  createDispatcher,
  type DirectoryEventType,
  type DispatchOutcomeName,
  type Handlers,
  isDirectoryEvent,
  type ScimEvent,
} from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { describe, expect, test } from 'vitest'

const other: ScimEvent = { id: 'evt_1', type: 'organization.created', data: {} }

/**
 * Runs an event through handlers with these names. Returns the names of the called handlers, in the order of the calls.
 */
async function called(names: string[], event: ScimEvent): Promise<string[]> {
  const calls: string[] = []
  const handlers = Object.fromEntries(names.map((name) => [name, () => calls.push(name)]))
  await createDispatcher({ logger: false, ...handlers }).dispatch(event)
  return calls
}

async function outcomeWith(handlers: Handlers, event: ScimEvent): Promise<DispatchOutcomeName> {
  return (await createDispatcher({ logger: false, ...handlers }).dispatch(event)).outcome
}

const inactive = (type: 'organization.directory.user_created' | 'organization.directory.user_updated') =>
  sampleEvent(type, { data: { active: false } })

const everyHandler = [
  'onUserCreated',
  'onUserUpdated',
  'onUserUpserted',
  'onUserDeactivated',
  'onAccessEnded',
  'onUserDeleted',
  'onGroupCreated',
  'onGroupUpdated',
  'onGroupUpserted',
  'onGroupDeleted',
  'onDirectoryEnabled',
  'onDirectoryDisabled',
]

describe('onAccessEnded', () => {
  const ends: ScimEvent[] = [
    inactive('organization.directory.user_created'),
    inactive('organization.directory.user_updated'),
    sampleEvent('organization.directory.user_deleted'),
  ]

  test.each(ends)('only onAccessEnded takes a $type that ends access', async (event) => {
    const names = ['onUserCreated', 'onUserUpdated', 'onUserUpserted', 'onAccessEnded']
    expect(await called(names, event)).toEqual(['onAccessEnded'])
  })

  test('onAccessEnded leaves a deactivation and a deletion to their own handlers', async () => {
    const names = ['onUserUpserted', 'onAccessEnded', 'onUserDeactivated', 'onUserDeleted']
    const called3 = await Promise.all(ends.map((event) => called(names, event)))
    expect(called3).toEqual([['onUserDeactivated'], ['onUserDeactivated'], ['onUserDeleted']])
  })

  test.each(['organization.directory.user_created', 'organization.directory.user_updated'] as const)(
    'onAccessEnded does not take %s of a user whose active is true, null or absent',
    async (type) => {
      const names = ['onUserUpserted', 'onAccessEnded']
      for (const active of [true, undefined, null]) {
        expect(await called(names, sampleEvent(type, { data: { active } }))).toEqual(['onUserUpserted'])
      }
    },
  )

  test.each(['false', 'False', 0])('onAccessEnded leaves active: %j to onUserUpserted', async (active) => {
    const event = sampleEvent('organization.directory.user_updated', { data: { active } } as object)
    expect(await called(['onUserUpserted', 'onAccessEnded'], event)).toEqual(['onUserUpserted'])
  })

  test('onAccessEnded runs after onEvent', async () => {
    const [, updated] = ends
    expect(updated && (await called(['onAccessEnded', 'onEvent'], updated))).toEqual([
      'onEvent',
      'onAccessEnded',
    ])
  })
})

describe('only the narrowest handler takes an event', () => {
  const narrowest: Record<DirectoryEventType, string> = {
    'organization.directory.user_created': 'onUserCreated',
    'organization.directory.user_updated': 'onUserUpdated',
    'organization.directory.user_deleted': 'onUserDeleted',
    'organization.directory.group_created': 'onGroupCreated',
    'organization.directory.group_updated': 'onGroupUpdated',
    'organization.directory.group_deleted': 'onGroupDeleted',
    'organization.directory_enabled': 'onDirectoryEnabled',
    'organization.directory_disabled': 'onDirectoryDisabled',
  }

  test.each(Object.entries(narrowest))('%s goes to %s', async (type, name) => {
    expect(await called(everyHandler, sampleEvent(type as DirectoryEventType))).toEqual([name])
  })

  test.each([
    ['organization.directory.user_created', 'onUserUpserted'],
    ['organization.directory.user_updated', 'onUserUpserted'],
    ['organization.directory.group_created', 'onGroupUpserted'],
    ['organization.directory.group_updated', 'onGroupUpserted'],
  ] as const)('%s goes to %s without a narrower handler', async (type, name) => {
    expect(await called(['onUserUpserted', 'onGroupUpserted'], sampleEvent(type))).toEqual([name])
  })

  test.each([
    ['organization.directory.user_created', ['onUserUpdated', 'onGroupCreated']],
    ['organization.directory.user_updated', ['onUserCreated', 'onUserDeactivated']],
    ['organization.directory.user_deleted', ['onUserUpserted', 'onUserDeactivated', 'onGroupDeleted']],
    ['organization.directory.group_deleted', ['onGroupUpserted', 'onUserDeleted']],
    ['organization.directory_enabled', ['onDirectoryDisabled']],
    ['organization.directory_disabled', ['onDirectoryEnabled']],
  ] as const)('%s is unhandled with only %j', async (type, names) => {
    const handlers = Object.fromEntries(names.map((name) => [name, () => {}]))
    expect(await outcomeWith(handlers, sampleEvent(type))).toBe('unhandled')
  })
})

describe('onUserDeactivated', () => {
  const types = ['organization.directory.user_created', 'organization.directory.user_updated'] as const

  test.each(types)('onUserDeactivated takes a %s with active: false', async (type) => {
    expect(await called(everyHandler, inactive(type))).toEqual(['onUserDeactivated'])
  })

  test.each([true, null, undefined])('onUserDeactivated skips users with active: %j', async (active) => {
    const event = sampleEvent('organization.directory.user_updated', { data: { active: active ?? null } })
    if (active === undefined) delete event.data.active
    expect(await called(everyHandler, event)).toEqual(['onUserUpdated'])
  })

  test.each(['false', 0])('onUserDeactivated skips users with active: %j, not false', async (active) => {
    const event = sampleEvent('organization.directory.user_updated')
    Object.assign(event.data, { active })
    expect(await called(everyHandler, event)).toEqual(['onUserUpdated'])
  })

  test('onUserDeactivated does not take a deletion with active: false', async () => {
    const event = sampleEvent('organization.directory.user_deleted')
    Object.assign(event.data, { active: false })
    expect(await called(everyHandler, event)).toEqual(['onUserDeleted'])
  })

  test.each([
    [['onUserCreated', 'onUserUpdated', 'onUserUpserted'], 'onUserUpdated'],
    [['onUserUpserted'], 'onUserUpserted'],
  ])('a deactivation without it goes to one of %j', async (names, expected) => {
    expect(await called(names, inactive('organization.directory.user_updated'))).toEqual([expected])
  })
})

describe('onEvent', () => {
  test('onEvent runs before the handler of the event', async () => {
    const names = [...everyHandler, 'onEvent']
    expect(await called(names, sampleEvent('organization.directory.user_created'))).toEqual([
      'onEvent',
      'onUserCreated',
    ])
  })

  test('onEvent has ended before the handler of the event begins', async () => {
    const steps: string[] = []
    await createDispatcher({
      logger: false,
      onEvent: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        steps.push('onEvent ended')
      },
      onUserUpserted: () => steps.push('onUserUpserted began'),
    }).dispatch(sampleEvent('organization.directory.user_created'))
    expect(steps).toEqual(['onEvent ended', 'onUserUpserted began'])
  })

  test('onEvent counts as a handler for each type', async () => {
    const event = sampleEvent('organization.directory.group_deleted')
    expect(await outcomeWith({ onEvent: () => {} }, event)).toBe('processed')
    expect(await outcomeWith({ onEvent: () => {} }, other)).toBe('processed')
  })

  test('if onEvent throws, the event fails, and the narrower handler does not run', async () => {
    let ran = false
    const outcome = await outcomeWith(
      {
        onEvent: () => Promise.reject(new Error('no')),
        onUserUpserted: () => {
          ran = true
        },
      },
      sampleEvent('organization.directory.user_created'),
    )
    expect(outcome).toBe('handler-failed')
    expect(ran).toBe(false)
  })
})

describe('a handler that returns a list of promises', () => {
  const event = sampleEvent('organization.directory.user_created')

  test('a handler with a list of promises ends when all promises have settled', async () => {
    const saved: number[] = []
    const save = (delayMs: number) =>
      new Promise<void>((resolve) => setTimeout(() => resolve(void saved.push(delayMs)), delayMs))
    expect(await outcomeWith({ onUserUpserted: () => [20, 5, 10].map(save) }, event)).toBe('processed')
    expect(saved).toHaveLength(3)
  })

  test('if one promise of a list rejects, the handler fails after all have settled', async () => {
    let saved = false
    const late = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      saved = true
    }
    const returned = () => [Promise.reject(new Error('no')), late()]
    expect(await outcomeWith({ onUserUpserted: returned }, event)).toBe('handler-failed')
    expect(saved).toBe(true)
  })
})

describe('on', () => {
  test('`on` takes other types by name', async () => {
    const seen: string[] = []
    const on = {
      'organization.created': (event: ScimEvent) => seen.push(event.type),
      'user.signup': () => {},
    }
    expect(await outcomeWith({ on }, other)).toBe('processed')
    expect(seen).toEqual(['organization.created'])
  })

  test('`on` leaves an unlisted type unhandled', async () => {
    expect(await outcomeWith({ on: { 'user.signup': () => {} } }, other)).toBe('unhandled')
  })

  test('`on` treats undefined for a type as unhandled', async () => {
    expect(await outcomeWith({ on: { 'organization.created': undefined } }, other)).toBe('unhandled')
  })

  test('`on` ignores the prototype of objects', async () => {
    const on = { 'user.signup': () => {} }
    expect(await outcomeWith({ on }, { ...other, type: 'constructor' })).toBe('unhandled')
  })

  test('`on` can be an object without a prototype', async () => {
    const on = Object.assign(Object.create(null), { 'organization.created': () => {} })
    expect(await outcomeWith({ on }, other)).toBe('processed')
  })

  test.each([
    ['organization.directory.user_created', 'onUserCreated'],
    ['organization.directory.group_deleted', 'onGroupDeleted'],
    ['organization.directory_enabled', 'onDirectoryEnabled'],
  ] as const)('`on` refuses %s, and names %s', (type, name) => {
    expect(() => createDispatcher({ logger: false, on: { [type]: () => {} } })).toThrow(
      expect.objectContaining({
        code: 'ERR_SCIM_INVALID_HANDLER',
        message: expect.stringContaining(`\`${name}\``),
      }),
    )
  })

  test.each(['created', 'organization.*', '*.created'])('`on` refuses %s, which is not a type', (name) => {
    const on = { [name]: () => {} } as Handlers['on']
    expect(() => createDispatcher({ logger: false, on })).toThrow(
      expect.objectContaining({ code: 'ERR_SCIM_INVALID_HANDLER' }),
    )
  })

  test.each([
    ['null', null],
    ['text', 'organization.created'],
    ['a number', 1],
    ['a list', [() => {}]],
    ['an empty list', []],
    ['a Map', new Map([['organization.created', () => {}]])],
    ['a function', () => {}],
  ])('`on` refuses to be %s', (_name, on) => {
    const options = { logger: false, on } as unknown as Handlers
    expect(() => createDispatcher(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }))
  })
})

describe('a handler that is not a function', () => {
  test.each([...everyHandler, 'onEvent'])('%s is refused by its name', (name) => {
    for (const value of [null, 'handler', {}, true]) {
      expect(() => createDispatcher({ logger: false, [name]: value })).toThrow(
        expect.objectContaining({
          code: 'ERR_SCIM_INVALID_HANDLER',
          option: name,
          message: expect.stringContaining(`\`${name}\``),
        }),
      )
    }
  })

  test('undefined counts as omitted', async () => {
    const handlers: Handlers = { onUserCreated: undefined, onUserUpserted: () => {} }
    expect(await outcomeWith(handlers, sampleEvent('organization.directory.user_created'))).toBe('processed')
  })
})

test('isDirectoryEvent returns true only for the eight directory events', () => {
  expect(isDirectoryEvent(sampleEvent('organization.directory_enabled'))).toBe(true)
  expect(isDirectoryEvent(other)).toBe(false)
})
