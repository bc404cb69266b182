import { createHmac } from 'node:crypto'
import { type Attempt, createReceiver, type ReceiverOptions } from '@scalekit-scim/core'
import { createFakeClock } from '@scalekit-scim/core/testing'
import { ScalekitClient } from '@scalekit-sdk/node'
import { Webhook as StandardWebhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'

/** The time of each test, in whole seconds. The other verifiers read `Date`, which the tests freeze. */
export const now = new Date('2026-11-23T09:00:00Z')
export const nowSeconds = now.getTime() / 1000

export const keyBytes = Buffer.from('a key of thirty-two random bytes')
export const secret = `whsec_${keyBytes.toString('base64')}`

export interface Delivery {
  headers: Record<string, string>
  body: Uint8Array
}

/** Returns the signature by the formula of Standard Webhooks, without code of this package. */
export function hmac(key: Uint8Array, id: string, timestamp: string | number, body: Uint8Array): string {
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
  return createHmac('sha256', key).update(signed).digest('base64')
}

interface Parts {
  id?: string
  timestamp?: string | number
  body?: Uint8Array | string
  key?: Uint8Array
  /** The whole signature header, which replaces the valid signature. */
  signature?: string
}

/** Creates a valid delivery, with the given changes. */
export function delivery(parts: Parts = {}): Delivery {
  const { id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W', timestamp = nowSeconds, key = keyBytes } = parts
  const body = Buffer.from(parts.body ?? '{"type":"organization.created","data":{}}')
  return {
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': parts.signature ?? `v1,${hmac(key, id, timestamp, body)}`,
    },
    body,
  }
}

export async function outcomeOf(
  attempt: Pick<Attempt, 'headers' | 'body'>,
  options: ReceiverOptions = {},
): Promise<string> {
  const receiver = createReceiver({ secret, clock: createFakeClock(now), logger: false, ...options })
  const { outcome } = await receiver.receive({ method: 'POST', url: '/webhooks/scalekit', ...attempt })
  return outcome
}

export type Verdict = 'accepts' | 'rejects'

/** The outcomes after a valid signature. Any other outcome, such as 'internal', is not a verdict. */
const verified = new Set(['unhandled', 'processed', 'invalid-payload'])

export async function ours(
  attempt: Pick<Attempt, 'headers' | 'body'>,
  options: ReceiverOptions = {},
): Promise<Verdict> {
  const outcome = await outcomeOf(attempt, options)
  if (outcome === 'invalid-signature') return 'rejects'
  if (verified.has(outcome)) return 'accepts'
  throw new Error(`${outcome} is not a verdict on a signature`)
}

const client = new ScalekitClient('https://test.scalekit.dev', 'skc_1', 'test_secret')

/** Another verifier. The tests call it as its documentation describes. */
export type Verifier = (delivery: Delivery, secret?: string) => Verdict

/** According to its documentation, the payload is a string. */
export const sdk: Verifier = ({ headers, body }, withSecret = secret) =>
  verdictOf(() => client.verifyWebhookPayload(withSecret, headers, Buffer.from(body).toString()))

export const standardWebhooks: Verifier = ({ headers, body }, withSecret = secret) =>
  verdictOf(() =>
    new StandardWebhook(withSecret).verify(Buffer.from(body).toString(), headers, { jsonParse: false }),
  )

export const svix: Verifier = ({ headers, body }, withSecret = secret) =>
  verdictOf(() => new SvixWebhook(withSecret).verify(Buffer.from(body).toString(), headers))

function verdictOf(verify: () => unknown): Verdict {
  try {
    verify()
    return 'accepts'
  } catch (error) {
    // Svix parses the body as JSON after it has verified the signature.
    return error instanceof SyntaxError ? 'accepts' : 'rejects'
  }
}
