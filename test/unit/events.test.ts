import { createDispatcher, createReceiver, type DirectoryEvent, isDirectoryEvent } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import { describe, expect, test } from 'vitest'
import { parseInstant } from '../../packages/core/src/base/instant.ts'
import { directoryEventTypes, resourceOf } from '../../packages/core/src/events/directory-events.ts'
import { type ParsedEvent, parseEvent } from '../../packages/core/src/events/parse-event.ts'
import { unexpectedFields } from '../../packages/core/src/events/unexpected-fields.ts'
import { recordingLogger } from './recording-logger.ts'

const messageId = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'
const userUpdated = () => sampleEvent('organization.directory.user_updated') as unknown as Payload

interface Payload {
  [field: string]: unknown
  data: Record<string, unknown>
}

function usable(payload: unknown): ParsedEvent {
  const parsed = parseEvent(payload, messageId)
  if ('unusable' in parsed) throw new Error(parsed.unusable)
  return parsed
}

function directoryEvent(payload: unknown): DirectoryEvent {
  const { event } = usable(payload)
  if (!isDirectoryEvent(event)) throw new Error(`${event.type} is not a directory event`)
  return event
}

function unusable(payload: unknown): string {
  const parsed = parseEvent(payload, messageId)
  return 'unusable' in parsed ? parsed.unusable : 'usable'
}

describe.each(directoryEventTypes)('a sample of %s', (type) => {
  const sample = sampleEvent(type)

  test('a sample is read unchanged, without unexpected fields', () => {
    const parsed = usable(structuredClone(sample))
    expect(parsed.event).toEqual(sample)
    expect(unexpectedFields(parsed.event)).toEqual([])
    expect(parsed.occurredAt).toBe(parseInstant(sample.occurred_at))
  })

  test('the resource of a sample has the ids of its data and organization', () => {
    const kind = type.includes('user') ? 'user' : type.includes('group') ? 'group' : 'directory'
    expect(resourceOf(directoryEvent(sample))).toEqual({
      kind,
      id: sample.data.id,
      organizationId: sample.organization_id,
    })
  })
})

test('there are eight directory events', () => {
  expect(directoryEventTypes).toHaveLength(8)
})

describe("the quickstart's envelope", () => {
  const quickstart = () => ({
    type: 'organization.directory.user_created',
    timestamp: '2025-01-15T08:55:22.802860294Z',
    data: {
      id: 'diruser_1',
      email: 'amelia.hart@example.com',
      organization_id: 'org_1',
      directory_id: 'dir_1',
    },
  })

  test('parsing adds `id`, `occurred_at` and `organization_id` to the top of the envelope', () => {
    expect(directoryEvent(quickstart())).toMatchObject({
      id: messageId,
      occurred_at: '2025-01-15T08:55:22.802860294Z',
      organization_id: 'org_1',
    })
  })

  test('the envelope keeps its own fields', () => {
    expect(directoryEvent(quickstart())).toMatchObject(quickstart())
  })

  test('the envelope is ordered by its timestamp', () => {
    expect(usable(quickstart()).occurredAt).toBe(parseInstant('2025-01-15T08:55:22.802860294Z'))
  })
})

describe('the envelope', () => {
  test("the reference's fields override the quickstart's fields", () => {
    const event = directoryEvent({
      ...userUpdated(),
      organization_id: 'org_top',
      occurred_at: '2026-01-01T00:00:00Z',
      timestamp: '2027-01-01T00:00:00Z',
    })
    expect(event.organization_id).toBe('org_top')
    expect(event.occurred_at).toBe('2026-01-01T00:00:00Z')
  })

  test('an organization at the top is copied into the data', () => {
    const payload = userUpdated()
    delete payload.data.organization_id
    expect(directoryEvent({ ...payload, organization_id: 'org_1' }).data.organization_id).toBe('org_1')
  })

  test.each([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['a number', 7],
  ])("an id that is %s becomes the message's", (_name, id) => {
    expect(usable({ ...userUpdated(), id }).event.id).toBe(messageId)
  })

  test('a null at the top counts as absent, and the quickstart fields are used', () => {
    const { occurred_at: timestamp, ...payload } = userUpdated()
    const event = directoryEvent({ ...payload, organization_id: null, occurred_at: null, timestamp })
    expect(event.organization_id).toBe(payload.data.organization_id)
    expect(event.occurred_at).toBe(timestamp)
  })

  test('dispatch() changes neither the event that it is passed, nor its data', async () => {
    const { organization_id: organizationId, ...data } = userUpdated().data
    const event = { ...userUpdated(), organization_id: organizationId, id: '', data }
    const copy = structuredClone(event)
    await using dispatcher = createDispatcher({ store: 'memory', logger: false, onUserUpserted: () => {} })
    const { outcome } = await dispatcher.dispatch(event as never)
    expect(outcome).toBe('processed')
    expect(event).toEqual(copy)
  })
})

describe('undocumented fields and values', () => {
  test('unknown fields of the envelope and the data reach the handler', () => {
    const payload = { ...userUpdated(), new_field: 1 }
    payload.data.new_field = { deep: [true] }
    expect(usable(payload).event).toMatchObject({ new_field: 1, data: { new_field: { deep: [true] } } })
    expect(unexpectedFields(usable(payload).event)).toEqual([])
  })

  test('optional fields can be null', () => {
    const payload = userUpdated()
    const { id, organization_id } = payload.data
    const nulls = Object.keys(payload.data).map((field) => [field, null])
    const data = { ...Object.fromEntries(nulls), id, organization_id }
    expect(unexpectedFields(usable({ ...payload, data }).event)).toEqual([])
    expect(usable({ ...payload, data }).event.data).toEqual(data)
  })

  test('absent optional fields stay absent', () => {
    const data = { id: 'diruser_1', organization_id: 'org_1' }
    const parsed = usable({ ...userUpdated(), data })
    expect(unexpectedFields(parsed.event)).toEqual([])
    expect(Object.keys(parsed.event.data)).toEqual(['id', 'organization_id'])
  })

  test('an optional field of another type passes unchanged, and is reported without its value', () => {
    const payload = userUpdated()
    Object.assign(payload.data, { active: 'private-value', groups: [{ id: 42, name: 'private-name' }] })
    const { event } = usable(payload)
    expect(event.data).toMatchObject({ active: 'private-value', groups: [{ id: 42 }] })
    expect(unexpectedFields(event)).toEqual(['data.active: invalid_type', 'data.groups.0.id: invalid_type'])
  })

  test('an unknown type is accepted', () => {
    const { event, occurredAt } = usable({ type: 'organization.created', data: { any: 1 } })
    expect(event).toEqual({ id: messageId, type: 'organization.created', data: { any: 1 } })
    expect(isDirectoryEvent(event)).toBe(false)
    expect(occurredAt).toBeUndefined()
    expect(unexpectedFields(event)).toEqual([])
  })

  test('an unknown type needs neither id, organization nor a valid time', () => {
    expect(unusable({ type: 'user.signup', occurred_at: 'yesterday', data: {} })).toBe('usable')
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    "a type with the name of an object's member (%s) is not a directory event",
    (type) => {
      expect(isDirectoryEvent(usable({ type, data: {} }).event)).toBe(false)
    },
  )

  test('a `__proto__` in the payload changes no prototype', () => {
    const payload: unknown = JSON.parse(
      JSON.stringify(userUpdated()).replace('{', '{"__proto__":{"polluted":1},'),
    )
    const { event } = usable(payload)
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
    expect((event as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('an unusable payload', () => {
  test.each([
    ['null', null],
    ['nothing', undefined],
    ['text', 'text'],
    ['a number', 1],
    ['a list', []],
  ])('%s is not a JSON object', (_name, payload) => {
    expect(unusable(payload)).toMatch(/not a JSON object/)
  })

  test.each([[undefined], [null], [''], [1], ['a\nb'], ['\ud800']])('the type %j is unusable', (type) => {
    expect(unusable({ ...userUpdated(), type })).toMatch(/`type`/)
  })

  test.each([[undefined], [null], ['text'], [[]]])('the data %j is unusable', (data) => {
    expect(unusable({ ...userUpdated(), data })).toMatch(/`data`/)
  })

  test.each([
    ['absent', undefined],
    ['null', null],
    ['empty', ''],
    ['a number', 7],
    ['with a null character in it', 'diruser\0'],
    ['with a control character in it', 'diruser\u0085'],
    ['with a line break in it', 'diruser\n1'],
    ['with half a character in it', 'diruser_\ud83d'],
    ['longer than any', 'd'.repeat(513)],
  ])('a directory event with a data.id that is %s is unusable', (_name, id) => {
    const payload = userUpdated()
    payload.data.id = id
    expect(unusable(payload)).toMatch(/`data\.id`/)
  })

  test.each([
    ['absent', undefined],
    ['empty', ''],
    ['an object', {}],
    ['with a control character in it', 'org\u0000'],
    ['with half a character in it', 'org\udc00'],
  ])('a directory event with an organization that is %s is unusable', (_name, organization) => {
    const payload = userUpdated()
    delete payload.data.organization_id
    expect(unusable({ ...payload, organization_id: organization })).toMatch(/`organization_id`/)
  })

  test.each([
    ['absent', undefined],
    ['text of another form', 'yesterday'],
    ['a number', 1_736_189_065],
  ])('a directory event with a time that is %s is unusable', (_name, occurredAt) => {
    expect(unusable({ ...userUpdated(), occurred_at: occurredAt })).toMatch(/`occurred_at`/)
  })

  test('an id can have any complete characters', () => {
    const payload = userUpdated()
    payload.data.id = 'diruser_Ł😀 {}:%'
    expect(resourceOf(directoryEvent(payload)).id).toBe('diruser_Ł😀 {}:%')
  })

  test('the reason contains nothing of the payload', () => {
    const payload = userUpdated()
    payload.data.id = 'private\n'
    expect(unusable(payload)).not.toContain('private')
  })
})

describe('through a receiver', () => {
  test('an unexpected type is logged once, with only the name of its field', async () => {
    const { logger, lines } = recordingLogger()
    const receiver = createReceiver({ secret: TEST_SECRET, logger, onUserUpserted: () => {} })
    const payload = userUpdated()
    payload.data.title = ['private-value']
    for (let attempt = 0; attempt < 2; attempt++) {
      const { outcome } = await receiver.receive({ url: '/', ...signDelivery(payload) })
      expect(outcome).toBe('processed')
    }
    const warnings = lines.filter(({ level }) => level === 'warn')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.fields).toMatchObject({ field: 'data.title: invalid_type' })
    expect(JSON.stringify(lines)).not.toContain('private-value')
  })

  test('a payload without data.id is refused, and the log names the missing field', async () => {
    const { logger, lines } = recordingLogger()
    const receiver = createReceiver({ secret: TEST_SECRET, logger, onUserUpserted: () => {} })
    const payload = userUpdated()
    delete payload.data.id
    const { outcome } = await receiver.receive({ url: '/', ...signDelivery(payload) })
    expect(outcome).toBe('invalid-payload')
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { reason: expect.stringContaining('`data.id`') },
    })
  })
})
