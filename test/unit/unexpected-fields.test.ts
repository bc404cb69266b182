import { isDirectoryEvent, type ScimEvent } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { directoryEventTypes } from '../../packages/core/src/events/directory-events.ts'
import { parseEvent } from '../../packages/core/src/events/parse-event.ts'
import { unexpectedFields } from '../../packages/core/src/events/unexpected-fields.ts'
import { Random } from '../chaos/random.ts'
import { dataSchemas } from './event-schemas.ts'

// Compares core's check of the fields with zod, on mutated samples of all eight types. An application can dispatch any
// object, so the values include some that JSON cannot contain.

const events = 100_000
const random = new Random(20_261_125)
const pick = <Item>(items: readonly Item[]): Item => items[random.below(items.length)] as Item

type Fields = Record<string, unknown>

class Person {
  name = 'Ada'
}

/** Makes a new value for a field. `depth` is the number of nested values that it can still contain. */
function someValue(depth: number): unknown {
  const scalars = [null, undefined, '', 'text', 'true', 0, 42, Number.NaN, true, false, 1n, Symbol('s')]
  if (depth === 0 || random.below(2) === 0) return pick(scalars)
  const someField = (name: string): Fields => ({ [name]: someValue(depth - 1) })
  const objects: (() => unknown)[] = [
    () => ({}),
    () => someField(pick(['id', 'name', 'role_name', 'nested'])),
    // A literal with `__proto__` sets the prototype. `JSON.parse` makes a field with this name.
    () =>
      JSON.parse(`{"${pick(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '0'])}":{"a":1}}`),
    () => someField(pick(['constructor', 'toString', 'isPrototypeOf', 'length'])),
    () => ({ [Symbol('key')]: 1, constructor: Person }),
    () => Object.assign(Object.create(null), someField('id')),
    () => Object.create({ id: 'inherited', role_name: 'inherited' }),
    () => new Date(Number.NaN),
    () => new Person(),
    () => new Map([['id', 'text']]),
    () => new String('boxed'),
    () => new Boolean(true),
    () => new Proxy([], {}),
    () => () => 'text',
    () => someList(depth - 1),
  ]
  return pick(objects)()
}

function someList(depth: number): unknown[] {
  // Some lists are longer than the 20 entries that are checked, and some have holes.
  const list = Array.from({ length: pick([0, 1, 1, 2, 2, 20, 21]) }, (_, index): unknown => ({
    id: `dirgroup_${index}`,
    role_name: 'member',
  }))
  for (let changes = random.below(3); changes > 0 && list.length > 0; changes--) {
    const index = random.below(list.length)
    if (random.below(4) === 0) delete list[index]
    else
      list[index] = random.below(2) === 0 ? someValue(depth) : { ...Object(list[index]), name: someValue(0) }
  }
  return list
}

function mutate(data: Fields, schemaFields: readonly string[]): void {
  for (let changes = random.below(4); changes > 0; changes--) {
    const name = random.below(10) === 0 ? 'unknown_field' : pick(schemaFields)
    if (random.below(10) === 0) delete data[name]
    else if (random.below(4) === 0) data[pick(['groups', 'roles', name])] = someList(1)
    else data[name] = someValue(2)
  }
}

function fieldsByZod(event: ScimEvent): string[] {
  if (!isDirectoryEvent(event)) throw new Error(`${event.type} is not a directory event`)
  const firstEntries = (value: unknown) => (Array.isArray(value) ? value.slice(0, 20) : value)
  const data = Object.fromEntries(
    Object.entries(event.data).map(([name, value]) => [name, firstEntries(value)]),
  )
  const { error } = dataSchemas[event.type].safeParse(data)
  return error?.issues.map(({ path, code }) => `data.${path.map(String).join('.')}: ${code}`) ?? []
}

test(`zod reports the same fields in ${events.toLocaleString('en')} mutated events`, () => {
  const counts = { unusable: 0, documented: 0, unexpected: 0 }
  for (let index = 0; index < events; index++) {
    const sample = sampleEvent(pick(directoryEventTypes))
    mutate(sample.data as unknown as Fields, Object.keys(dataSchemas[sample.type].shape))
    const parsed = parseEvent(sample, 'msg_1')
    if ('unusable' in parsed) {
      counts.unusable++
      continue
    }
    const ours = unexpectedFields(parsed.event)
    const zods = fieldsByZod(parsed.event)
    counts[zods.length === 0 ? 'documented' : 'unexpected']++
    if (ours.join() !== zods.join()) expect(ours, `event ${index}`).toEqual(zods)
  }
  expect(Math.min(counts.documented, counts.unexpected)).toBeGreaterThan(events / 5)
})
