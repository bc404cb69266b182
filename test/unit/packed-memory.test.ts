import { createDispatcher } from '@scalekit-scim/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MessageState } from '../../packages/core/src/ledger/decisions.ts'
import { Generations } from '../../packages/core/src/ledger/memory/generations.ts'
import { PackedMap, type Packing } from '../../packages/core/src/ledger/memory/packed-map.ts'
import {
  type AppliedState,
  appliedPacking,
  createDonePacking,
} from '../../packages/core/src/ledger/memory/packings.ts'

const seed = Number(process.env.FC_SEED ?? 20_261_123)

const key = fc.oneof(fc.string(), fc.string({ unit: 'binary', minLength: 14 }), fc.constantFrom('\ud800', ''))
const count = fc.oneof(fc.nat(), fc.double(), fc.constant(Number.POSITIVE_INFINITY))
const instant = fc.oneof(
  fc.bigInt({ min: 0n, max: 10n ** 19n - 1n }).map((nanos) => `${nanos}`.padStart(19, '0')),
  fc.constantFrom('0'.repeat(19), '9'.repeat(19)),
  fc.constantFrom('', '5', ` ${'1'.repeat(18)}`, `-${'1'.repeat(18)}`, '0'.repeat(20), '٢'.repeat(19)),
)
const applied: fc.Arbitrary<AppliedState> = fc.record(
  {
    fence: count,
    untilMs: count,
    watermark: instant,
    appliedAt: instant,
    tombstone: fc.boolean(),
    turn: fc.record({ token: fc.string(), untilMs: count }),
  },
  { requiredKeys: ['fence', 'untilMs'], noNullPrototype: true },
)
const token = fc.oneof(
  fc.nat().map((number) => `AbC_d-123456.${number.toString(36)}`),
  fc.nat().map((number) => `another.part.${number.toString(36)}`),
  fc.stringMatching(/^AbC_d-123456\.[0-9a-zA-Z.-]{0,30}$/),
  fc.string(),
)
const message: fc.Arbitrary<MessageState> = fc.record(
  { token, done: fc.boolean(), untilMs: count },
  { noNullPrototype: true },
)

/** Sets each entry, and then compares the map with a plain `Map`. */
function expectExact<State extends object>(createPacking: () => Packing<State>, states: fc.Arbitrary<State>) {
  const entries = fc.array(fc.tuple(key, states), { maxLength: 30 })
  fc.assert(
    fc.property(entries, (entries) => {
      const map = new PackedMap(createPacking)
      for (const [key, state] of entries) map.set(key, state)
      const expected = new Map(entries)
      expect(map.addedKeys).toBe(expected.size)
      for (const [key, state] of expected) expect(map.get(key)).toStrictEqual(state)
    }),
    { seed, numRuns: 1000 },
  )
}

const state = (fence: number): AppliedState => ({ fence, untilMs: fence + 0.5 })
const unpackable = (fence: number): AppliedState => ({ ...state(fence), watermark: '' })

describe('a packed map', () => {
  test(`returns each state of a resource exactly (seed ${seed})`, () => {
    expectExact(() => appliedPacking, applied)
  })

  test(`returns each state of a message exactly (seed ${seed})`, () => {
    expectExact(createDonePacking, message)
  })

  test('contains the same rows after it grows', () => {
    const map = new PackedMap(() => appliedPacking)
    for (let fence = 0; fence < 5000; fence++) map.set(`user:${fence}`, state(fence))
    for (let fence = 0; fence < 5000; fence++) expect(map.get(`user:${fence}`)).toStrictEqual(state(fence))
  })

  test('a state that does not fit uses the row of its key', () => {
    const map = new PackedMap(() => appliedPacking)
    for (let fence = 0; fence < 5000; fence++) {
      map.set('replaced', state(fence))
      map.set('replaced', unpackable(fence))
    }
    expect(map.get('replaced')).toStrictEqual(unpackable(4999))
    map.set('replaced', state(1))
    expect(map.get('replaced')).toStrictEqual(state(1))
    expect(map.addedKeys).toBe(1)
  })

  test('finds the keys that remain after others were deleted and the table grew', () => {
    const map = new PackedMap(() => appliedPacking)
    const isDeleted = (fence: number) => fence % 3 === 0
    for (let fence = 0; fence < 5000; fence++) {
      map.set(`user:${fence}`, state(fence))
      if (isDeleted(fence)) map.delete(`user:${fence}`)
    }
    for (let fence = 0; fence < 5000; fence++) {
      expect(map.has(`user:${fence}`)).toBe(!isDeleted(fence))
      expect(map.get(`user:${fence}`)).toStrictEqual(isDeleted(fence) ? undefined : state(fence))
    }
  })

  test('compares whole keys: keys of equal hash, length or beginning are different', () => {
    const map = new PackedMap(() => appliedPacking)
    const keys = Array.from({ length: 200_000 }, (_, index) => `${index}`.padStart(12, 'k'))
    for (const [index, key] of keys.entries()) map.set(key, state(index))
    expect(keys.every((key, index) => map.get(key)?.fence === index)).toBe(true)
    expect(keys.some((key) => map.has(`${key}k`) || map.has(key.slice(0, -1)))).toBe(false)
  })

  test('keys of any text and length are stored', () => {
    const map = new PackedMap(() => appliedPacking)
    const keys = ['', '\u0000', 'é', 'ÿ', '\u0100', '\ud800', '😀', 'x'.repeat(65_535), 'x'.repeat(65_536)]
    for (const [index, key] of keys.entries()) map.set(key, state(index))
    expect(keys.map((key) => map.get(key)?.fence)).toStrictEqual([...keys.keys()])
    for (const key of keys) map.delete(key)
    expect(keys.filter((key) => map.has(key))).toStrictEqual([])
  })

  test('is empty after clear()', () => {
    const map = new PackedMap(createDonePacking)
    const first: MessageState = { token: 'a.1', done: true, untilMs: 1 }
    const second: MessageState = { token: 'b.1', done: true, untilMs: 2 }
    map.set('first', first)
    map.clear()
    map.set('second', second)
    expect([map.addedKeys, map.get('first'), map.get('second')]).toStrictEqual([1, undefined, second])
  })
})

describe('two generations', () => {
  const generations = () => new Generations(2, () => appliedPacking)

  test('contain the newest entries, and at most two full generations', () => {
    const map = generations()
    for (let fence = 1; fence <= 5; fence++) map.set(`${fence}`, state(fence))
    const present = [1, 2, 3, 4, 5].filter((fence) => map.get(`${fence}`))
    expect(present).toEqual([3, 4, 5])
  })

  test('return the newest state of a key that is in the old generation', () => {
    const map = generations()
    for (const key of ['a', 'b', 'c']) map.set(key, state(1))
    map.set('a', unpackable(2))
    expect(map.get('a')).toStrictEqual(unpackable(2))
    map.set('a', state(3))
    expect(map.get('a')).toStrictEqual(state(3))
    map.set('d', state(1))
    expect([map.get('a'), map.get('b')]).toStrictEqual([state(3), undefined])
  })

  test('update a key in place if the young generation is full', () => {
    const map = generations()
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, state(1))
    map.set('d', state(2))
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key)?.fence)).toEqual([1, 1, 1, 2])
  })

  test('do not return a deleted key from the old generation', () => {
    const map = generations()
    for (const key of ['a', 'b', 'c']) map.set(key, state(1))
    map.set('a', state(2))
    map.delete('a')
    expect(map.get('a')).toBeUndefined()
  })

  test('do not return entries of a generation that was dropped', () => {
    const map = generations()
    for (const key of ['a', 'b', 'c', 'd', 'e']) map.set(key, state(1))
    map.set('a', state(2))
    expect([map.get('a'), map.get('b')]).toStrictEqual([state(2), undefined])
  })
})

describe('the memory ledger', () => {
  const claim = { messageId: 'msg_1', resource: 'user:org:1', leaseSeconds: 30 }

  test.each(['AbC_d-123456.z', 'AbC_d-123456.0z', 'a token of another form'])(
    'recognizes the token of a repeated commit: %s',
    async (token) => {
      const { ledger } = createDispatcher({ store: 'memory', logger: false })
      const retention = { retentionSeconds: 60, watermarkRetentionSeconds: 60 }
      const request = { ...claim, token, deletion: false }
      const begun = await ledger.begin(request)
      const committed = { ...request, fence: 0, occurredAt: '', ...begun }
      expect(await ledger.commit(committed, retention)).toBe('ok')
      expect(await ledger.commit(committed, retention)).toBe('ok')
      expect(await ledger.commit({ ...committed, token: `${token}1` }, retention)).toBe('lost')
    },
  )

  test('returns a time that is not 19 digits as it was written', async () => {
    const { ledger } = createDispatcher({ store: 'memory', logger: false })
    const request = { ...claim, token: 'a.1', deletion: false }
    const begun = await ledger.begin(request)
    const committed = { ...request, fence: 0, ...begun, occurredAt: '5' }
    await ledger.commit(committed, { retentionSeconds: 60, watermarkRetentionSeconds: 60 })
    const older = { ...claim, messageId: 'msg_2', token: 'a.2', occurredAt: '4999999999999999999' }
    expect((await ledger.begin(older)).state).toBe('stale')
  })
})
