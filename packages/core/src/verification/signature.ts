import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { ConfigurationError } from '../base/errors.ts'

// Standard Webhooks, version 1: HMAC-SHA256 over the bytes `id "." timestamp "." body`.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

/** Where the three headers come from: Node's objects in any case, or WHATWG `Headers`. */
export type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** What the sender says of an attempt, once the headers have the right form. */
export interface SignedHeaders {
  messageId: string
  /** The attempt's time, in seconds since 1970, in the digits that were signed. */
  timestamp: string
  signatures: string
  /** By our clock. */
  ageSeconds: number
}

/** Why an attempt does not verify. For the log alone: a reply never says it. */
export type VerificationFailure =
  | 'missing-header'
  | 'malformed-message-id'
  | 'malformed-timestamp'
  | 'timestamp-too-old'
  | 'timestamp-too-new'
  | 'no-secret'
  | 'no-matching-signature'

/** Standard Webhooks asks for keys of 24 to 64 bytes. */
export const advisedKeyBytes = 24

/**
 * The signing key out of a secret: base64, after `whsec_` where it is there.
 * @throws ConfigurationError when it is empty, has white space, is not strict base64, or decodes to nothing.
 * A lenient decoder would cut such a key short, or sign with the empty key that everybody knows.
 */
export function parseSecret(secret: string, source = 'secret'): KeyObject {
  const reject = (problem: string): never => {
    throw new ConfigurationError(
      'ERR_SCIM_SECRET_INVALID',
      `\`${source}\` ${problem}. Copy the signing secret (whsec_…) from the endpoint's page in the Scalekit dashboard.`,
      'secret',
    )
  }
  if (typeof secret !== 'string') return reject('is no string')
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret
  if (encoded === '') return reject('is empty')
  if (/\s/.test(secret)) return reject('has white space in it')
  const key = Buffer.from(encoded, 'base64')
  if (key.length === 0 || key.toString('base64') !== encoded) return reject('is not base64')
  return createSecretKey(key)
}

/** A space; or a comma and a space, with which two headers of the name are joined. An entry has its comma alone. */
const betweenSignatures = /,? /

/** One `v1,…` signature. */
export function sign(key: KeyObject, messageId: string, timestamp: string, body: Uint8Array): string {
  return `v1,${createHmac('sha256', key).update(`${messageId}.${timestamp}.`).update(body).digest('base64')}`
}

/** Reads the three headers and judges all that can be judged without a key. */
export function readSignedHeaders(
  headers: HeaderSource,
  nowMs: number,
  toleranceSeconds: number,
): SignedHeaders | { failure: VerificationFailure } {
  const messageId = header(headers, 'webhook-id')
  const timestamp = header(headers, 'webhook-timestamp')
  const signatures = header(headers, 'webhook-signature')
  if (!messageId || !timestamp || !signatures) return { failure: 'missing-header' }
  // Beyond printable ASCII the header's bytes and this string's would differ, and with them what was signed.
  if (!/^[\x20-\x7e]{1,256}$/.test(messageId)) return { failure: 'malformed-message-id' }
  if (!/^[1-9]\d{0,11}$/.test(timestamp)) return { failure: 'malformed-timestamp' }

  const ageSeconds = Math.floor(nowMs / 1000) - Number(timestamp)
  if (ageSeconds > toleranceSeconds) return { failure: 'timestamp-too-old' }
  if (ageSeconds < -toleranceSeconds) return { failure: 'timestamp-too-new' }
  return { messageId, timestamp, signatures, ageSeconds }
}

/**
 * Whether any of the signatures was made with any of the keys. Entries of another version, length or form are
 * passed over: a sender may sign for receivers that know more than we do.
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

/** A header by its lower-case name. Several values are joined with a comma, as Node joins them. */
export function header(headers: HeaderSource, name: string): string | undefined {
  if (typeof (headers as Headers).get === 'function') return (headers as Headers).get(name) ?? undefined
  const fields = headers as Readonly<Record<string, string | readonly string[] | undefined>>
  const value =
    fields[name] ?? Object.entries(fields).find(([written]) => written.toLowerCase() === name)?.[1]
  if (typeof value === 'string' || value === undefined) return value
  return Array.isArray(value) ? value.join(', ') : undefined
}
