import type { ReceiverOptions } from '@scalekit-scim/core'
import type { HeaderSource } from '@scalekit-scim/core/adapter'
import { createFakeClock } from '@scalekit-scim/core/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { hmac, ours, type Verdict } from './verifiers.ts'

// Thousands of generated requests. An oracle in this file, which uses only node:crypto, returns the expected verdicts.

const seed = Number(process.env.FC_SEED ?? 20_261_123)
const runs = { accept: 7000, mutate: 9000, time: 4000, noise: 4000 }

beforeAll(() => {
  const total = Object.values(runs).reduce((a, b) => a + b)
  console.info(`${total} generated requests, fast-check seed ${seed} (FC_SEED)`)
  expect(total).toBeGreaterThanOrEqual(20_000)
})

const tolerance = 300

/** A request, before its headers are put into a container. */
interface Generated {
  id: string
  timestamp: string
  signature: string
  body: Uint8Array
  nowMs: number
}

/** A second implementation of the rule of Standard Webhooks. */
function oracle({ id, timestamp, signature, body, nowMs }: Generated, keys: Uint8Array[]): Verdict {
  const idForm = id.length >= 1 && id.length <= 256 && [...id].every((char) => char >= ' ' && char <= '~')
  const timeForm = timestamp !== '' && String(Number(timestamp)) === timestamp && /^\d{1,12}$/.test(timestamp)
  if (!idForm || !timeForm || timestamp === '0') return 'rejects'
  if (Math.abs(Math.floor(nowMs / 1000) - Number(timestamp)) > tolerance) return 'rejects'
  const entries = signature.split(' ')
  return keys.some((key) => entries.includes(`v1,${hmac(key, id, timestamp, body)}`)) ? 'accepts' : 'rejects'
}

const bytes = (constraints: fc.IntArrayConstraints) => fc.uint8Array(constraints)
const printable = (constraints: { minLength: number; maxLength: number }) =>
  fc.string({
    ...constraints,
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  })

const key: fc.Arbitrary<Uint8Array> = bytes({ minLength: 1, maxLength: 64 })
/** `Headers` and Node's parser trim white space from a value. */
const messageId = printable({ minLength: 1, maxLength: 256 }).filter((id) => id === id.trim())
const body: fc.Arbitrary<Uint8Array> = fc.oneof(
  bytes({ maxLength: 200 }),
  fc.json().map((text) => new TextEncoder().encode(text)),
)
const nowMs = fc.integer({ min: 1_000_000, max: 999_999_999_999 * 1000 })
const age = fc.oneof(
  fc.integer({ min: -tolerance, max: tolerance }),
  fc.constantFrom(-tolerance, tolerance, 0, 1, -1),
)

/**
 * Entries that a sender may add, and that a receiver must skip. They contain no space, so that each stays one entry.
 */
const otherEntry = fc.oneof(
  printable({ minLength: 0, maxLength: 60 }).map((text) => text.replaceAll(' ', '')),
  bytes({ minLength: 32, maxLength: 32 }).map((other) => `v1,${Buffer.from(other).toString('base64')}`),
  bytes({ minLength: 0, maxLength: 80 }).map((other) => `v1,${Buffer.from(other).toString('base64')}`),
  bytes({ minLength: 64, maxLength: 64 }).map((other) => `v1a,${Buffer.from(other).toString('base64')}`),
  fc.constantFrom('v1', 'v1,', ',', 'v2,', 'v1,v1,v1', 'v0,AAAA', 'V1,AAAA'),
)

const valid = fc
  .record({
    id: messageId,
    body,
    nowMs,
    age,
    keys: fc.array(key, { minLength: 1, maxLength: 4 }),
    signer: fc.nat(),
    before: fc.array(otherEntry, { maxLength: 3 }),
    after: fc.array(otherEntry, { maxLength: 3 }),
  })
  .map(({ age, signer, before, after, keys, ...request }) => {
    const timestamp = String(Math.floor(request.nowMs / 1000) - age)
    const signedWith = keys[signer % keys.length] ?? new Uint8Array()
    const entry = `v1,${hmac(signedWith, request.id, timestamp, request.body)}`
    return { ...request, keys, timestamp, signature: [...before, entry, ...after].join(' '), entry }
  })
  .filter(({ timestamp }) => /^[1-9]\d{0,11}$/.test(timestamp))

type Valid = typeof valid extends fc.Arbitrary<infer T> ? T : never

/** The ways in which an application can pass the headers. */
const container = fc
  .record({
    kind: fc.constantFrom('plain', 'null-prototype', 'Headers', 'lists'),
    casing: fc.constantFrom('lower', 'Title', 'UPPER', 'mIxEd'),
    beside: fc.boolean(),
  })
  .map(({ kind, casing, beside }) => ({ id, timestamp, signature }: Generated): HeaderSource => {
    const named = Object.fromEntries(
      Object.entries({
        ...(beside ? { host: 'example.com', 'content-type': 'application/json' } : {}),
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signature,
      }).map(([name, value]) => [cased(name, casing), value]),
    )
    // `Headers` accepts only Latin 1.
    if (kind === 'Headers' && !/[^\0-\xff]/.test(id + timestamp + signature)) return new Headers(named)
    if (kind === 'null-prototype') return Object.assign(Object.create(null), named)
    if (kind === 'lists') {
      return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, [value]]))
    }
    return named
  })

function cased(name: string, casing: string): string {
  switch (casing) {
    case 'Title':
      return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
    case 'UPPER':
      return name.toUpperCase()
    case 'mIxEd':
      return name.replace(/[a-z](?=[a-z]{2})/g, (letter) => letter.toUpperCase())
    default:
      return name
  }
}

/** The ways in which an application can pass its secrets. */
const secretForm = fc
  .record({ prefixed: fc.boolean(), kind: fc.constantFrom('list', 'resolver', 'async resolver') })
  .map(({ prefixed, kind }) => (keys: Uint8Array[]): ReceiverOptions => {
    const secrets = keys.map((key) => (prefixed ? 'whsec_' : '') + Buffer.from(key).toString('base64'))
    const [first = ''] = secrets
    const given = secrets.length === 1 ? first : secrets
    if (kind === 'list') return { secret: given }
    return { secret: kind === 'resolver' ? () => given : async () => given }
  })

type Container = typeof container extends fc.Arbitrary<infer T> ? T : never

function judge(request: Generated, headersOf: Container, secrets: ReceiverOptions): Promise<Verdict> {
  const clock = createFakeClock(new Date(request.nowMs))
  return ours({ headers: headersOf(request), body: request.body }, { ...secrets, clock })
}

describe(`over generated requests (seed ${seed})`, () => {
  test('no valid request is rejected', async () => {
    await fc.assert(
      fc.asyncProperty(valid, container, secretForm, async (request, headersOf, secretOf) => {
        expect(oracle(request, request.keys)).toBe('accepts')
        expect(await judge(request, headersOf, secretOf(request.keys))).toBe('accepts')
      }),
      { seed, numRuns: runs.accept },
    )
  })

  test('no changed request is accepted', async () => {
    const seen = { accepts: 0, rejects: 0 }
    await fc.assert(
      fc.asyncProperty(
        valid,
        mutation,
        container,
        secretForm,
        async (request, mutate, headersOf, secretOf) => {
          const changed = mutate(request)
          const verdict = oracle(changed, changed.keys)
          seen[verdict]++
          expect(await judge(changed, headersOf, secretOf(changed.keys))).toBe(verdict)
        },
      ),
      { seed, numRuns: runs.mutate },
    )
    // The oracle accepts changes without an effect, such as reversing a palindrome. Such changes must be rare.
    expect(seen.rejects).toBeGreaterThan(runs.mutate * 0.9)
  })

  test('a timestamp is accepted by its form and its distance, with any signature', async () => {
    const seen = { accepts: 0, rejects: 0 }
    await fc.assert(
      fc.asyncProperty(valid, timestampFor, container, async (request, timestampOf, headersOf) => {
        const timestamp = timestampOf(Math.floor(request.nowMs / 1000))
        const [key = new Uint8Array()] = request.keys
        const signature = `v1,${hmac(key, request.id, timestamp, request.body)}`
        const changed = { ...request, timestamp, signature }
        const verdict = oracle(changed, [key])
        seen[verdict]++
        const secret = Buffer.from(key).toString('base64')
        expect(await judge(changed, headersOf, { secret })).toBe(verdict)
      }),
      { seed, numRuns: runs.time },
    )
    expect(Math.min(seen.accepts, seen.rejects)).toBeGreaterThan(runs.time * 0.1)
  })

  test('noise in the three headers is rejected, and never throws', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('', ' ', 'v1,', '1', 'constructor', '__proto__'),
    )
    const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.constant(undefined))
    const name = fc.oneof(
      fc.constantFrom(
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
        'Webhook-Id',
        'WEBHOOK-SIGNATURE',
      ),
      text,
    )
    const noise = fc.dictionary(name, value, { maxKeys: 8, noNullPrototype: false })
    await fc.assert(
      fc.asyncProperty(
        noise,
        body,
        valid,
        fc.boolean(),
        async (headers, body, { keys, ...known }, timely) => {
          const time = timely ? { 'webhook-timestamp': known.timestamp } : {}
          const secret = keys.map((key) => Buffer.from(key).toString('base64'))
          const clock = createFakeClock(new Date(known.nowMs))
          expect(await ours({ headers: Object.assign(headers, time), body }, { secret, clock })).toBe(
            'rejects',
          )
        },
      ),
      { seed, numRuns: runs.noise },
    )
  })
})

type Mutation = (request: Valid) => Valid

const flip = (source: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(source)
  const at = Math.floor(bit / 8) % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8))
  return copy
}

const withEntry = (request: Valid, entry: string): Valid => ({
  ...request,
  signature: request.signature
    .split(' ')
    .map((part) => (part === request.entry ? entry : part))
    .join(' '),
})

const mutations: { [name: string]: (choice: number, text: string, other: Uint8Array) => Mutation } = {
  'one bit of the body': (bit) => (request) =>
    request.body.length === 0
      ? { ...request, body: Uint8Array.of(bit & 255) }
      : { ...request, body: flip(request.body, bit) },
  'one bit of the signature': (bit) => (request) =>
    withEntry(
      request,
      `v1,${Buffer.from(flip(Buffer.from(request.entry.slice(3), 'base64'), bit)).toString('base64')}`,
    ),
  'one bit of what is written as the signature': (bit) => (request) =>
    // The new character is never a space, which only splits the entry. Characters of headers do not have the high bit.
    withEntry(
      request,
      Buffer.from(flip(Buffer.from(request.entry), (bit & ~7) | (bit % 5)))
        .toString('latin1')
        .replaceAll(' ', '!'),
    ),
  'another key': (_choice, _text, other) => (request) => ({ ...request, keys: [other] }),
  'the body cut short': (choice) => (request) => ({
    ...request,
    body:
      request.body.length === 0 ? Uint8Array.of(0) : request.body.subarray(0, choice % request.body.length),
  }),
  'more body': (_choice, _text, other) => (request) => ({
    ...request,
    body: Buffer.concat([request.body, other]),
  }),
  'the body backwards': () => (request) => ({
    ...request,
    body: Buffer.concat([Uint8Array.from(request.body).reverse(), Uint8Array.of(1)]),
  }),
  'the body decoded and written again': () => (request) => ({
    ...request,
    body: Buffer.concat([Uint8Array.of(0xff), Buffer.from(Buffer.from(request.body).toString())]),
  }),
  'another id': (_choice, text) => (request) => ({ ...request, id: text }),
  'another second, within the tolerance': (choice) => (request) => {
    const nowSeconds = Math.floor(request.nowMs / 1000)
    const shifted = nowSeconds - (choice % (tolerance + 1))
    return {
      ...request,
      timestamp: String(shifted === Number(request.timestamp) ? shifted + 1 : shifted),
    }
  },
  'too old': (choice) => (request) => ({
    ...request,
    nowMs: (Number(request.timestamp) + tolerance + 1 + choice) * 1000,
  }),
  'a dot moved from the id to the timestamp': () => (request) => ({
    ...request,
    id: `${request.id}.${request.timestamp}`,
  }),
  'id and timestamp swapped': () => (request) => ({
    ...request,
    id: request.timestamp,
    timestamp: request.id,
  }),
  'the signature taken away': () => (request) => withEntry(request, 'v2,'),
  'the signature of another version': () => (request) =>
    withEntry(request, request.entry.replace('v1,', 'v1a,')),
  'the signature unpadded': () => (request) => withEntry(request, request.entry.replaceAll('=', '')),
  'the signature with trailing text': (_choice, text) => (request) =>
    // The added text contains no separator.
    withEntry(request, `${request.entry}${text.replaceAll(/[ ,]/g, '') || '='}`),
  'the signature written with the bits that base64 leaves over': () => (request) =>
    withEntry(request, leftOverBits(request.entry)),
}

/** With 32 bytes, two bits of the 43rd character have no meaning. A lenient decoder reads four texts as the same key. */
function leftOverBits(entry: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const last = alphabet.indexOf(entry.at(-2) ?? '')
  return `${entry.slice(0, -2)}${alphabet[last ^ 1]}=`
}

const mutation = fc
  .record({
    name: fc.constantFrom(...Object.keys(mutations)),
    choice: fc.nat({ max: 100_000 }),
    text: messageId,
    other: key,
  })
  .map(
    ({ name, choice, text, other }): Mutation => mutations[name]?.(choice, text, other) ?? ((same) => same),
  )

/** The text of a timestamp that is near the present second, at the limits, far away, or malformed. */
const timestampFor = fc.oneof(
  fc.constantFrom(-301, -300, -299, 299, 300, 301).map((offset) => (now: number) => String(now + offset)),
  fc.integer({ min: -1000, max: 1000 }).map((offset) => (now: number) => String(now + offset)),
  fc.maxSafeInteger().map((any) => () => String(any)),
  fc
    .constantFrom(
      (now: string) => `${now}abc`,
      (now: string) => `${now}.0`,
      (now: string) => `+${now}`,
      (now: string) => `-${now}`,
      (now: string) => `0${now}`,
      (now: string) => `0x${Number(now).toString(16)}`,
      (now: string) => `${now}e0`,
      (now: string) => `${now}n`,
      (now: string) => `${now}_0`,
      (now: string) => now.replace(/\d$/, (digit) => String.fromCharCode(0x660 + Number(digit))),
      (now: string) => `${now}000`,
      () => '',
      () => '0',
      () => 'NaN',
      () => 'Infinity',
    )
    .map((write) => (now: number) => write(String(now))),
)
