import { createFakeClock } from '@scalekit-scim/core/testing'
import { expect, test } from 'vitest'
import { ours } from './verifiers.ts'

// The fixed test vector of Standard Webhooks.
const vector = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  body: Buffer.from('{"test": 2432232314}'),
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
}
const clock = createFakeClock(new Date(1_614_265_330_000))

test('the fixed vector of Standard Webhooks verifies', async () => {
  expect(await ours(vector, { secret: vector.secret, clock })).toBe('accepts')
})

test('the fixed vector does not verify with one more byte of body', async () => {
  const body = Buffer.concat([vector.body, Buffer.from('\n')])
  expect(await ours({ ...vector, body }, { secret: vector.secret, clock })).toBe('rejects')
})

test('the fixed vector does not verify at another second', async () => {
  const headers = { ...vector.headers, 'webhook-timestamp': '1614265331' }
  expect(await ours({ ...vector, headers }, { secret: vector.secret, clock })).toBe('rejects')
})

test('the fixed vector does not verify today', async () => {
  expect(await ours(vector, { secret: vector.secret })).toBe('rejects')
})
