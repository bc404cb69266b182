import { systemClock } from '@scalekit-scim/core/internal'
import { createDirectorySync, type Known } from '@scalekit-scim/core/sync'
import { createFakeClock } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { hashOf, KnownRecords } from '../../packages/core/src/sync/known/known-records.ts'
import { readKnown } from '../../packages/core/src/sync/known/read-known.ts'
import { Random } from '../chaos/random.ts'
import { application } from '../support/application.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

test('known records have the indexes that a Map has, and the same ids', () => {
  const random = new Random(7)
  const records = new KnownRecords('dir_1')
  const map = new Map<string, number>()
  for (let round = 0; round < 20_000; round++) {
    // Short ids repeat often, and can be suffixes of other ids. Characters have one to four bytes. One id is long.
    const text =
      round === 9000 ? 'x'.repeat(5000) : String(random.below(9000)).padStart(random.below(8), 'aé漢😀')
    const id = text.toWellFormed()
    expect(records.indexOf(id)).toBe(map.get(id))
    const index = map.get(id) ?? map.size
    map.set(id, index)
    records.add({ id })
    expect(records.indexOf(id)).toBe(index)
  }
  expect(records.size).toBe(map.size)
  for (const [id, index] of map) expect(records.idAt(index)).toBe(id)
})

test('the empty id has an index', () => {
  const records = new KnownRecords('dir_1')
  expect(records.indexOf('')).toBeUndefined()
  for (const id of ['', 'a', '']) records.add({ id })
  expect(records.indexOf('')).toBe(0)
  expect(records.indexOf('a')).toBe(1)
  expect(records.idAt(0)).toBe('')
})

test('sets of groups are equal in any order, with repeated ids', () => {
  expect(hashOf(['b', 'a', 'b'])).toBe(hashOf(['a', 'b']))
})

test('different sets of groups have different hashes', () => {
  const sets = [[], [''], ['a'], ['b'], ['ab'], ['a', 'b'], ['a', 'bc'], ['ab', 'c'], ['a', 'b', 'c']]
  expect(new Set(sets.map(hashOf)).size).toBe(sets.length)
  for (const set of sets) expect(hashOf(set)).toBeLessThan(2 ** 53)
})

/** Clocks may be 30 s apart, and times may be in whole seconds. */
test.each([
  { aheadSeconds: 60, sent: 'unchanged' },
  { aheadSeconds: 59.999, sent: 'repeated' },
  { aheadSeconds: 0, sent: 'repeated' },
  { aheadSeconds: -5, sent: 'updated' },
])(
  'if the application’s time is $aheadSeconds s after the record’s time, the record is $sent',
  async ({ aheadSeconds, sent }) => {
    const updatedAtMs = Date.parse('2026-03-01T09:00:00Z')
    const occurredAt = new Date(updatedAtMs + aheadSeconds * 1000).toISOString()
    const sync = createDirectorySync({
      scalekit: new TestApi(new TestDirectory('org_1', [{ id: 'diruser_0', updatedAtMs }])),
      dispatcher: application().dispatcher,
      organizations: 'all',
      known: { users: () => [{ id: 'diruser_0', occurredAt }] },
      logger: false,
    })
    expect((await sync.run()).totals.users).toMatchObject({ [sent]: 1 })
  },
)

class QueryResult {
  rows = []
}

test.each([
  { gave: [{ occurredAt: 'secret' }], says: '`id` of type undefined' },
  { gave: [{ id: 7_654_321 }], says: '`id` of type number' },
  { gave: ['secret'], says: 'string instead of a record' },
  { gave: [{ id: 'secret', occurredAt: new Date() }], says: '`occurredAt` of type Date: yield' },
  {
    gave: [{ id: 'secret', occurredAt: 'secret' }],
    says: '`occurredAt` that is text, but not an RFC 3339 time',
  },
  { gave: [{ id: 'secret', occurredAt: 7_654_321n }], says: '`occurredAt` of type bigint' },
  { gave: [{ id: 'secret', directoryId: 7_654_321 }], says: '`directoryId` of type number' },
  { gave: [{ id: 'secret', organizationId: 7_654_321 }], says: '`organizationId` of type number' },
  { gave: [{ id: 'secret', groupIds: '{secret}' }], says: '`groupIds` of type string' },
  { gave: [{ id: 'secret', groupIds: ['secret', null] }], says: '`groupIds[1]` of type null' },
  { gave: [{ id: 'secret', groupIds: new Set(['secret']) }], says: '`groupIds` of type Set' },
  { gave: undefined, says: 'undefined instead of records' },
  { gave: new QueryResult(), says: 'QueryResult instead of records' },
])(
  'the error for a `known` that yields $gave has the wrong field, and not its value',
  async ({ gave, says }) => {
    const known: Known = () => Object(gave === undefined ? Promise.resolve() : gave)
    const directory = { organizationId: 'org_1', id: 'dir_1' }
    const error: unknown = await readKnown(known, directory, () => false, {
      signal: new AbortController().signal,
      clock: systemClock,
    }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_SCIM_KNOWN_INVALID', message: expect.stringContaining(says) })
    expect(error).not.toMatchObject({ message: expect.stringMatching(/secret|7654321/) })
  },
)

test('while the sync reads rows from memory, other tasks run; the reading ends with the pass', async () => {
  let read = 0
  const known: Known = function* () {
    // The rows are, for example, all rows of a database in this process.
    while (read < 1_000_000) yield { id: `diruser_${read++ % 1000}` }
  }
  const cancel = new AbortController()
  setImmediate(() => cancel.abort())
  const directory = { organizationId: 'org_1', id: 'dir_1' }
  await expect(
    readKnown(known, directory, () => false, { signal: cancel.signal, clock: systemClock }),
  ).rejects.toMatchObject({
    name: 'AbortError',
  })
  const readThen = read
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  expect(read).toBe(readThen)
})

test('a `known` that yields no row for 5 minutes ends its directory, but not other directories', async () => {
  const clock = createFakeClock()
  const api = new TestApi(new TestDirectory('org_1', people(3)), new TestDirectory('org_2', people(3, 3)))
  const sync = createDirectorySync({
    scalekit: api,
    dispatcher: application({ clock }).dispatcher,
    organizations: 'all',
    known: { users: ({ organizationId }) => (organizationId === 'org_1' ? new Promise(() => {}) : []) },
    logger: false,
    clock,
  })
  const running = sync.run()
  for (let minute = 0; minute < 6; minute++) await clock.advance(60_000)
  const [one, two] = (await running).organizations.flatMap(({ directories }) => directories)
  expect(one?.error).toMatchObject({ code: 'ERR_SCIM_KNOWN_SILENT' })
  expect(two).toMatchObject({ users: { created: 3 } })
  expect(two?.error).toBeUndefined()
})
