import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Delivery,
  delivery,
  hmac,
  keyBytes,
  now,
  nowSeconds,
  ours,
  sdk,
  standardWebhooks,
  svix,
  type Verdict,
} from './verifiers.ts'

// Cases in which the other verifiers are right and our verdict is the same. differences.test.ts has the other cases.

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now })
})
afterAll(() => {
  vi.useRealTimers()
})

const body = Buffer.from('{"type":"organization.created","data":{}}')
const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'
const valid = `v1,${hmac(keyBytes, id, nowSeconds, body)}`
const ofAnotherKey = `v1,${hmac(Buffer.from('another key'), id, nowSeconds, body)}`

const signedWith = (signature: string) => delivery({ id, body, signature })
const at = (offsetSeconds: number) => delivery({ timestamp: nowSeconds + offsetSeconds })
const changed = (headers: Record<string, string>): Delivery => {
  const signed = delivery({ id, body })
  return { ...signed, headers: { ...signed.headers, ...headers } }
}
const without = (name: string): Delivery => {
  const signed = delivery()
  return {
    ...signed,
    headers: Object.fromEntries(Object.entries(signed.headers).filter(([key]) => key !== name)),
  }
}

const cases: [name: string, Delivery, Verdict][] = [
  ['a valid delivery', delivery(), 'accepts'],
  ['an empty body', delivery({ body: '' }), 'accepts'],
  ['a body that is not JSON', delivery({ body: 'hello' }), 'accepts'],
  ['a body with a byte order mark', delivery({ body: '\uFEFF{}' }), 'accepts'],
  ['an id with a dot in it', delivery({ id: 'msg.1' }), 'accepts'],
  ['an id of one character', delivery({ id: '0' }), 'accepts'],

  ['300 s old', at(-300), 'accepts'],
  ['301 s old', at(-301), 'rejects'],
  ['300 s ahead', at(300), 'accepts'],
  ['301 s ahead', at(301), 'rejects'],
  ['the timestamp in milliseconds', delivery({ timestamp: nowSeconds * 1000 }), 'rejects'],
  ['a timestamp that is not a number', delivery({ timestamp: 'now' }), 'rejects'],
  ['a negative timestamp', delivery({ timestamp: `-${nowSeconds}` }), 'rejects'],

  ['no id', without('webhook-id'), 'rejects'],
  ['no timestamp', without('webhook-timestamp'), 'rejects'],
  ['no signature', without('webhook-signature'), 'rejects'],
  ['an empty id', changed({ 'webhook-id': '' }), 'rejects'],
  ['an empty timestamp', changed({ 'webhook-timestamp': '' }), 'rejects'],
  ['an empty signature', changed({ 'webhook-signature': '' }), 'rejects'],
  ['another id', changed({ 'webhook-id': 'msg_other' }), 'rejects'],
  ['another timestamp', changed({ 'webhook-timestamp': String(nowSeconds - 1) }), 'rejects'],
  ['another body', { ...delivery({ body }), body: Buffer.from('{}') }, 'rejects'],
  ['a body cut short', { ...delivery({ body }), body: body.subarray(0, -1) }, 'rejects'],

  ["another key's signature", signedWith(ofAnotherKey), 'rejects'],
  ["another key's signature before the valid one", signedWith(`${ofAnotherKey} ${valid}`), 'accepts'],
  ["another key's signature after the valid one", signedWith(`${valid} ${ofAnotherKey}`), 'accepts'],
  ['a v1a signature before the valid one', signedWith(`v1a,c29tZXRoaW5n ${valid}`), 'accepts'],
  ['a v2 signature before the valid one', signedWith(`${valid.replace('v1', 'v2')} ${valid}`), 'accepts'],
  ['the valid signature as v2 alone', signedWith(valid.replace('v1', 'v2')), 'rejects'],
  ['the valid signature without a version', signedWith(valid.slice(3)), 'rejects'],
  ['a capital V', signedWith(valid.toUpperCase()), 'rejects'],
  ['several spaces around the valid signature', signedWith(`  ${valid}   ${ofAnotherKey} `), 'accepts'],
  ['the valid signature in hexadecimal', signedWith(`v1,${hexadecimal(valid)}`), 'rejects'],
  ['a signature cut short', signedWith(valid.slice(0, -8)), 'rejects'],
  ['an empty v1 signature', signedWith('v1,'), 'rejects'],
]

function hexadecimal(signature: string): string {
  return Buffer.from(signature.slice(3), 'base64').toString('hex')
}

describe.each(cases)('%s', (_name, signed, verdict) => {
  test(`our verdict: ${verdict === 'accepts' ? 'it verifies' : 'it does not verify'}`, async () => {
    expect(await ours(signed)).toBe(verdict)
  })
  test('the SDK agrees', () => {
    expect(sdk(signed)).toBe(verdict)
  })
  test('standardwebhooks agrees', () => {
    expect(standardWebhooks(signed)).toBe(verdict)
  })
  test('svix agrees', () => {
    expect(svix(signed)).toBe(verdict)
  })
})
