import { sampleEvent, signDelivery } from '@scalekit-scim/core/testing'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Delivery,
  delivery,
  now,
  nowSeconds,
  ours,
  sdk,
  secret,
  standardWebhooks,
  svix,
} from './verifiers.ts'

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now })
})
afterAll(() => {
  vi.useRealTimers()
})

const bodies = {
  'a directory event': JSON.stringify(sampleEvent('organization.directory.user_created')),
  'text beyond ASCII': '{"name":"Zoë Łukasiewicz 😀","data":{}}',
  'white space and numbers that JSON.stringify would rewrite':
    '{ "a": 1.0,\r\n\t"b": 1e400, "a": "\\u00e9" }\n',
}
const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W'

describe.each(Object.entries(bodies))('%s', (_name, text) => {
  const body = Buffer.from(text)

  test('signed by hand as the SDK verifies it, is accepted', async () => {
    const signed = delivery({ id, body })
    expect(sdk(signed)).toBe('accepts')
    expect(await ours(signed)).toBe('accepts')
  })

  test.each([
    ['standardwebhooks', new StandardWebhook(secret)],
    ['svix', new SvixWebhook(secret)],
  ])('signed by %s is accepted', async (_name, webhook) => {
    const signed: Delivery = {
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(nowSeconds),
        'webhook-signature': webhook.sign(id, now, text),
      },
      body,
    }
    expect(await ours(signed)).toBe('accepts')
  })

  test('signed by signDelivery is accepted by us and by all three', async () => {
    const signed = signDelivery(text, { secret, at: now })
    expect(await ours(signed)).toBe('accepts')
    expect(sdk(signed)).toBe('accepts')
    expect(standardWebhooks(signed)).toBe('accepts')
    expect(svix(signed)).toBe('accepts')
  })
})

test('signDelivery signs the JSON of an object that it sends', async () => {
  const event = sampleEvent('organization.directory.group_updated')
  const signed = signDelivery(event, { secret, at: now })
  expect(JSON.parse(signed.body.toString())).toEqual(event)
  expect(sdk(signed)).toBe('accepts')
})

test('signDelivery signs bytes unchanged, also invalid UTF-8', async () => {
  const bytes = Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)
  const signed = signDelivery(bytes, { secret, at: now })
  expect(new Uint8Array(signed.body)).toEqual(bytes)
  expect(await ours(signed)).toBe('accepts')
})

test('signDelivery without a time uses the present time', async () => {
  expect(sdk(signDelivery({}, { secret }))).toBe('accepts')
})
