import { randomUUID } from 'node:crypto'
import { parseSecret, sign } from '../verification/signature.ts'

/** A signing secret for tests only, because it is public. */
export const TEST_SECRET = 'whsec_c2NhbGVraXQtc2NpbS10ZXN0LXNlY3JldC0zMmJ5dGU='

export interface SignOptions {
  /** @default TEST_SECRET */
  secret?: string
  /** All attempts of one message have the same id. @default a new id */
  messageId?: string
  /** The attempt's time. @default now */
  at?: Date
}

/** A signed request, ready for `fetch(url, delivery)`, supertest or `inject`. */
export interface SignedDelivery {
  method: 'POST'
  headers: {
    'content-type': 'application/json'
    'webhook-id': string
    'webhook-timestamp': string
    'webhook-signature': string
  }
  body: Buffer<ArrayBuffer>
}

/**
 * Signs an event as Scalekit does (Standard Webhooks, version 1). Signs strings and bytes unchanged.
 *
 * @example
 * await fetch(url, signDelivery(sampleEvent('organization.directory.user_created'), { secret }))
 */
export function signDelivery(
  event: object | string | Uint8Array,
  {
    secret = TEST_SECRET,
    messageId = `msg_${randomUUID().replaceAll('-', '')}`,
    at = new Date(),
  }: SignOptions = {},
): SignedDelivery {
  const isSerialized = typeof event === 'string' || event instanceof Uint8Array
  const body = Buffer.from(isSerialized ? event : JSON.stringify(event))
  const timestamp = String(Math.floor(at.getTime() / 1000))
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': messageId,
      'webhook-timestamp': timestamp,
      'webhook-signature': sign(parseSecret(secret), messageId, timestamp, body),
    },
    body,
  }
}
