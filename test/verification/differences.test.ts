import { createReceiver } from '@scalekit-scim/core'
import type { HeaderSource } from '@scalekit-scim/core/adapter'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Delivery,
  delivery,
  hmac,
  keyBytes,
  now,
  nowSeconds,
  ours,
  outcomeOf,
  sdk,
  secret,
  standardWebhooks,
  svix,
} from './verifiers.ts'

// Cases in which the SDK's verifier, standardwebhooks or svix is wrong. The tests also assert their verdicts. If such a
// test fails, the other package has changed, and our documentation of it must change.

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now })
})
afterAll(() => {
  vi.useRealTimers()
})

const valid = delivery()
const validSignature = String(valid.headers['webhook-signature'])

describe.each([
  ['a v1 signature of the wrong length', 'v1,c2hvcnQ='],
  ['a bare v1', 'v1'],
])('%s before the valid signature', (_name, entry) => {
  const signed = delivery({ signature: `${entry} ${validSignature}` })

  test('the entry is skipped: we accept', async () => {
    expect(await ours(signed)).toBe('accepts')
  })
  test('the SDK rejects', () => {
    expect(sdk(signed)).toBe('rejects')
  })
  test('standardwebhooks and svix accept', () => {
    expect(standardWebhooks(signed)).toBe('accepts')
    expect(svix(signed)).toBe('accepts')
  })
})

describe('Title-Case header names', () => {
  const titleCase: Delivery = {
    ...valid,
    headers: {
      'Webhook-Id': String(valid.headers['webhook-id']),
      'Webhook-Timestamp': String(valid.headers['webhook-timestamp']),
      'Webhook-Signature': validSignature,
    },
  }

  test('the names are read: we accept', async () => {
    expect(await ours(titleCase)).toBe('accepts')
  })
  test('the SDK rejects', () => {
    expect(sdk(titleCase)).toBe('rejects')
  })
  test('standardwebhooks and svix accept', () => {
    expect(standardWebhooks(titleCase)).toBe('accepts')
    expect(svix(titleCase)).toBe('accepts')
  })
})

describe('WHATWG Headers', () => {
  const headers = new Headers(valid.headers)
  /** Passes `request.headers` unchanged, as a caller may do. */
  const asRecord = { headers: headers as unknown as Record<string, string>, body: valid.body }

  test('the headers are read: we accept', async () => {
    expect(await ours({ headers, body: valid.body })).toBe('accepts')
  })
  test('the SDK rejects', () => {
    expect(sdk(asRecord)).toBe('rejects')
  })
  test('standardwebhooks and svix reject', () => {
    expect(standardWebhooks(asRecord)).toBe('rejects')
    expect(svix(asRecord)).toBe('rejects')
  })
})

describe('a body of invalid UTF-8, signed over its bytes', () => {
  // A lenient decoder reads these bytes as valid JSON with an event.
  const event = Buffer.from('{"type":"organization.created","data":{"name":"?"}}')
  event[event.indexOf('?')] = 0xff
  const signed = delivery({ body: event })

  test('the body has a valid signature, and is then an invalid payload', async () => {
    expect(await outcomeOf(signed)).toBe('invalid-payload')
  })
  test('the SDK rejects', () => {
    expect(sdk(signed)).toBe('rejects')
  })
  test('standardwebhooks and svix reject', () => {
    expect(standardWebhooks(signed)).toBe('rejects')
    expect(svix(signed)).toBe('rejects')
  })
})

describe('bytes that were replaced by others with the same decoded text', () => {
  const quoted = (...bytes: number[]) => Buffer.from([0x22, ...bytes, 0x22])
  // A lenient decoder turns each invalid byte into U+FFFD, so one signature matches all these bodies.
  const signed = delivery({ body: quoted(0xef, 0xbf, 0xbd) })

  test.each([
    ['0xff', 0xff],
    ['0xfe', 0xfe],
    ['0x80', 0x80],
  ])('the bytes do not verify: we reject %s instead of the signed byte', async (_name, byte) => {
    expect(await ours(signed)).toBe('accepts')
    expect(await ours({ ...signed, body: quoted(byte) })).toBe('rejects')
  })
  test('the SDK accepts', () => {
    expect(sdk({ ...signed, body: quoted(0xff) })).toBe('accepts')
  })
  test('standardwebhooks and svix accept', () => {
    expect(standardWebhooks({ ...signed, body: quoted(0xff) })).toBe('accepts')
    expect(svix({ ...signed, body: quoted(0xff) })).toBe('accepts')
  })
})

describe.each([
  // svix has its own standardwebhooks 1.0.0, which checks for an empty secret before it removes the prefix.
  { empty: 'whsec_', bySvix: 'accepts' },
  { empty: 'whsec_!!!!', bySvix: 'rejects' },
  { empty: 'whsec__abc', bySvix: 'rejects' },
])('the secret $empty, which leaves an empty key', ({ empty, bySvix }) => {
  const signed = delivery({ key: Buffer.alloc(0) })

  test('the secret is refused when the receiver is created', () => {
    expect(() => createReceiver({ secret: empty })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', code: 'ERR_SCIM_SECRET_INVALID' }),
    )
  })
  test('the SDK accepts signatures of the empty key, which any attacker can create', () => {
    expect(sdk(signed, empty)).toBe('accepts')
  })
  test('standardwebhooks refuses the secret', () => {
    expect(standardWebhooks(signed, empty)).toBe('rejects')
  })
  test(`svix ${bySvix}`, () => {
    expect(svix(signed, empty)).toBe(bySvix)
  })
})

describe('a base64url secret with an underscore', () => {
  const head = Buffer.from('first part of key ')
  const base64url = `whsec_${head.toString('base64')}_${keyBytes.toString('base64')}`
  const signed = delivery({ key: head })

  test('the secret is refused when the receiver is created', () => {
    expect(() => createReceiver({ secret: base64url })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', code: 'ERR_SCIM_SECRET_INVALID' }),
    )
  })
  test('the SDK cuts the key at the underscore', () => {
    expect(sdk(signed, base64url)).toBe('accepts')
  })
  test('standardwebhooks and svix refuse the secret', () => {
    expect(standardWebhooks(signed, base64url)).toBe('rejects')
    expect(svix(signed, base64url)).toBe('rejects')
  })
})

describe('a secret without whsec_', () => {
  const bare = keyBytes.toString('base64')

  test('the secret without the prefix is the same key: we accept', async () => {
    expect(await ours(valid, { secret: bare })).toBe('accepts')
  })
  test('the SDK rejects', () => {
    expect(sdk(valid, bare)).toBe('rejects')
  })
  test('standardwebhooks and svix accept', () => {
    expect(standardWebhooks(valid, bare)).toBe('accepts')
    expect(svix(valid, bare)).toBe('accepts')
  })
})

describe('a secret with white space at its end', () => {
  test.each([' ', '\n', '\t'])('the secret is refused when the receiver is created (%j)', (space) => {
    expect(() => createReceiver({ secret: secret + space })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', code: 'ERR_SCIM_SECRET_INVALID' }),
    )
  })
  test('the SDK accepts', () => {
    expect(sdk(valid, `${secret}\n`)).toBe('accepts')
  })
  test('standardwebhooks and svix refuse the secret', () => {
    expect(standardWebhooks(valid, `${secret}\n`)).toBe('rejects')
    expect(svix(valid, `${secret}\n`)).toBe('rejects')
  })
})

describe.each([
  ['letters after it', `${nowSeconds}abc`],
  ['a fraction', `${nowSeconds}.9`],
  ['a plus before it', `+${nowSeconds}`],
  ['a zero before it', `0${nowSeconds}`],
  ['white space before it', ` ${nowSeconds}`],
])('a timestamp with %s', (_name, timestamp) => {
  /** The other verifiers sign the parsed number instead of the text. */
  const overDigits = delivery({ timestamp, signature: validSignature })
  const overText = delivery({ timestamp })

  test('the timestamp is malformed: we reject it with either form signed', async () => {
    expect(await ours(overDigits)).toBe('rejects')
    expect(await ours(overText)).toBe('rejects')
  })
  test('the SDK accepts', () => {
    expect(sdk(overDigits)).toBe('accepts')
  })
  test('standardwebhooks and svix accept', () => {
    expect(standardWebhooks(overDigits)).toBe('accepts')
    expect(svix(overDigits)).toBe('accepts')
  })
})

describe.each([
  ['unpadded', (signature: string) => signature.replaceAll('=', '')],
  ['in base64url', (signature: string) => signature.replaceAll('+', '-').replaceAll('/', '_')],
])('a signature that is %s', (_name, rewrite) => {
  // The signature of this body has a character that differs in base64url.
  const body = [...Array(100).keys()]
    .map((number) => Buffer.from(String(number)))
    .find((body) => /[+/]/.test(hmac(keyBytes, String(valid.headers['webhook-id']), nowSeconds, body)))
  const strict = delivery(body ? { body } : {})
  const loose = delivery({
    ...(body ? { body } : {}),
    signature: rewrite(String(strict.headers['webhook-signature'])),
  })

  test('the signature is not the one that was sent: we reject', async () => {
    expect(await ours(strict)).toBe('accepts')
    expect(loose.headers['webhook-signature']).not.toBe(strict.headers['webhook-signature'])
    expect(await ours(loose)).toBe('rejects')
  })
  test('the SDK accepts', () => {
    expect(sdk(loose)).toBe('accepts')
  })
  test('standardwebhooks and svix reject', () => {
    expect(standardWebhooks(loose)).toBe('rejects')
    expect(svix(loose)).toBe('rejects')
  })
})

describe('more text after a valid signature and a second comma', () => {
  const signed = delivery({ signature: `${validSignature},v1a` })

  test('the text counts as an entry of another form: we skip it and reject', async () => {
    expect(await ours(signed)).toBe('rejects')
  })
  test('the SDK accepts', () => {
    expect(sdk(signed)).toBe('accepts')
  })
  test('standardwebhooks and svix accept', () => {
    expect(standardWebhooks(signed)).toBe('accepts')
    expect(svix(signed)).toBe('accepts')
  })
})

describe('two signature headers', () => {
  const other = `v1,${Buffer.alloc(32, 7).toString('base64')}`
  const pairs = [
    ['first', [validSignature, other]],
    ['last', [other, validSignature]],
    ['in a list of its own', [`v1a,AAAA ${validSignature}`, other]],
  ] as const

  test.each(pairs)('two headers joined by Node, the valid one %s: we accept', async (_name, entries) => {
    expect(await ours(delivery({ signature: entries.join(', ') }))).toBe('accepts')
  })
  test.each(pairs)('two WHATWG headers, the valid one %s: we accept', async (_name, entries) => {
    const headers = new Headers(valid.headers)
    headers.delete('webhook-signature')
    for (const entry of entries) headers.append('webhook-signature', entry)
    expect(await ours({ headers, body: valid.body })).toBe('accepts')
  })
  test.each(pairs)('a list of two, the valid one %s: we accept', async (_name, entries) => {
    expect(
      await ours({ headers: { ...valid.headers, 'webhook-signature': entries }, body: valid.body }),
    ).toBe('accepts')
  })
  test('two invalid headers: we reject', async () => {
    expect(await ours(delivery({ signature: `${other}, ${other}` }))).toBe('rejects')
  })
  test('the comma within an entry does not separate entries: we reject', async () => {
    expect(await ours(delivery({ signature: validSignature.replace(',', ', ') }))).toBe('rejects')
  })
})

describe('header containers of other kinds', () => {
  const nullPrototype: HeaderSource = Object.assign(Object.create(null), valid.headers)

  test('an object without a prototype is read', async () => {
    expect(await ours({ headers: nullPrototype, body: valid.body })).toBe('accepts')
  })
  test('a list of one value is read', async () => {
    const lists = Object.fromEntries(Object.entries(valid.headers).map(([name, value]) => [name, [value]]))
    expect(await ours({ headers: lists, body: valid.body })).toBe('accepts')
  })
  test('a list of two ids is rejected', async () => {
    const id = String(valid.headers['webhook-id'])
    const headers = { ...valid.headers, 'webhook-id': [id, id] }
    expect(await ours({ headers, body: valid.body })).toBe('rejects')
  })
  test("svix's own header names are not Scalekit's, so they are not read", async () => {
    const headers = Object.fromEntries(
      Object.entries(valid.headers).map(([name, value]) => [name.replace('webhook', 'svix'), value]),
    )
    expect(await ours({ headers, body: valid.body })).toBe('rejects')
  })
})

describe('several secrets, while one is rotated', () => {
  const next = `whsec_${Buffer.from('the key that comes after this one').toString('base64')}`

  test.each([
    ['first', [secret, next]],
    ['last', [next, secret]],
  ])('a delivery signed with the %s of them is accepted', async (_name, secrets) => {
    expect(await ours(valid, { secret: secrets })).toBe('accepts')
  })
  test('a delivery signed with another secret is rejected', async () => {
    expect(await ours(delivery({ key: Buffer.from('neither') }), { secret: [next, secret] })).toBe('rejects')
  })
  test('a resolver can choose the secrets by the request', async () => {
    expect(await ours(valid, { secret: async () => [next, secret] })).toBe('accepts')
  })
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty list', []],
  ])('a resolver that returns no secret (%s) rejects', async (_name, none) => {
    expect(await ours(valid, { secret: () => none })).toBe('rejects')
  })
})
