import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { ConfigurationError } from '../base/errors.ts'

// Standard Webhooks, version 1: HMAC-SHA256 over the bytes `id "." timestamp "." body`.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

/** The headers of a request: an object with names in any case, or WHATWG `Headers`. */
export type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** The webhook headers of an attempt. The headers' format is valid, but the signature is not verified yet. */
export interface SignedHeaders {
  messageId: string
  /** The attempt's time in seconds since 1970, as the digits that the sender signed. */
  timestamp: string
  signatures: string
  /** The attempt's age by this process's clock. If the attempt's time is in the future, the age is negative. */
  ageSeconds: number
}

/**
 * The reason why the verification of an attempt failed. The log shows the reason, but the reply does not contain it.
 */
export type VerificationFailure =
  | 'missing-header'
  | 'malformed-message-id'
  | 'malformed-timestamp'
  | 'timestamp-too-old'
  | 'timestamp-too-new'
  | 'no-secret'
  | 'no-matching-signature'

/** Standard Webhooks recommends keys of 24 to 64 bytes. */
export const advisedKeyBytes = 24

/**
 * Reads a secret: base64 after the optional prefix `whsec_`.
 * @throws ConfigurationError if the secret is empty, contains white space or is not strict base64. A lenient decoder
 * shortens such a key, or returns an empty key. Any sender can sign with an empty key.
 */
export function parseSecret(secret: string, source = 'secret'): KeyObject {
  const reject = (problem: string): never => {
    throw new ConfigurationError(
      'ERR_SCIM_SECRET_INVALID',
      `\`${source}\` ${problem}. Copy the signing secret (whsec_…) from the endpoint's page in the Scalekit dashboard.`,
      'secret',
    )
  }
  if (typeof secret !== 'string') return reject('is not a string')
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret
  if (encoded === '') return reject('is empty')
  if (/\s/.test(secret)) return reject('contains white space')
  const key = Buffer.from(encoded, 'base64')
  if (key.length === 0 || key.toString('base64') !== encoded) return reject('is not base64')
  return createSecretKey(key)
}

/**
 * The separator of signatures is a space. If the header was sent twice, Node joins the values with a comma and a space.
 * Within a signature, no space follows the comma.
 */
const betweenSignatures = /,? /

/** Returns one signature: `v1,…`. */
export function sign(key: KeyObject, messageId: string, timestamp: string, body: Uint8Array): string {
  return `v1,${createHmac('sha256', key).update(`${messageId}.${timestamp}.`).update(body).digest('base64')}`
}

/** Reads the three webhook headers, and checks their format and the timestamp. Does not check the signature. */
export function readSignedHeaders(
  headers: HeaderSource,
  nowMs: number,
  toleranceSeconds: number,
): SignedHeaders | { failure: VerificationFailure } {
  const messageId = header(headers, 'webhook-id')
  const timestamp = header(headers, 'webhook-timestamp')
  const signatures = header(headers, 'webhook-signature')
  if (!messageId || !timestamp || !signatures) return { failure: 'missing-header' }
  // The sender signed the header's bytes. If the id is not printable ASCII, the bytes of this string can differ from
  // the signed bytes.
  if (!/^[\x20-\x7e]{1,256}$/.test(messageId)) return { failure: 'malformed-message-id' }
  if (!/^[1-9]\d{0,11}$/.test(timestamp)) return { failure: 'malformed-timestamp' }

  const ageSeconds = Math.floor(nowMs / 1000) - Number(timestamp)
  if (ageSeconds > toleranceSeconds) return { failure: 'timestamp-too-old' }
  if (ageSeconds < -toleranceSeconds) return { failure: 'timestamp-too-new' }
  return { messageId, timestamp, signatures, ageSeconds }
}

/**
 * Whether at least one signature was made with one of the keys. Skips entries of another version, length or format. The
 * sender can add such entries for newer receivers (Standard Webhooks, Signature scheme).
 */
export function verify(keys: readonly KeyObject[], signed: SignedHeaders, body: Uint8Array): boolean {
  const expected = keys.map((key) => Buffer.from(sign(key, signed.messageId, signed.timestamp, body)))
  let matches = false
  for (const entry of signed.signatures.split(betweenSignatures)) {
    const candidate = Buffer.from(entry)
    for (const signature of expected) {
      if (candidate.length === signature.length && timingSafeEqual(candidate, signature)) matches = true
    }
  }
  return matches
}

/** Returns a header by its lower-case name. If the header has several values, joins them with a comma, as Node does. */
export function header(headers: HeaderSource, name: string): string | undefined {
  if (isHeaders(headers)) return headers.get(name) ?? undefined
  const value = headers[name] ?? headers[nameInOtherCase(headers, name)]
  if (typeof value === 'string' || value === undefined) return value
  return Array.isArray(value) ? value.join(', ') : undefined
}

function isHeaders(headers: HeaderSource): headers is Headers {
  return typeof headers.get === 'function'
}

function nameInOtherCase(headers: object, name: string): string {
  for (const written of Object.keys(headers)) {
    if (written.length === name.length && written.toLowerCase() === name) return written
  }
  return name
}
