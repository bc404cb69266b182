import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { signDelivery } from '@scalekit-scim/core/testing'
import { type Randomness, randomBytes } from '../randomness.ts'
import type { Endpoint } from './endpoints.ts'
import { faultNames, type WebhookFaults } from './faults.ts'
import type { Attempt, AttemptTrigger } from './messages.ts'
import type { Answer, OutgoingRequest, WebhookClient } from './webhook-client.ts'

/** An attempt to make. */
export interface Transmission {
  endpoint: Endpoint
  messageId: string
  body: string
  number: number
  trigger: AttemptTrigger
  faults: WebhookFaults
  randomness: Randomness
}

export interface Transmitted {
  attempt: Attempt
  timedOut: boolean
}

/** Signs and sends one attempt with its faults. */
export async function transmit(
  transmission: Transmission,
  { clock, client }: { clock: Clock; client: WebhookClient },
): Promise<Transmitted> {
  // If a caller makes 100,000 changes without a pause, answers cannot be read in that time. So the deadline starts only
  // when the caller is done.
  await setImmediate()
  const startedAtMs = clock.now()
  const request = requestOf(transmission, startedAtMs)
  const answer = await client.send(request)
  return { attempt: attemptOf(transmission, startedAtMs, request, answer), timedOut: answer.timedOut }
}

function requestOf(transmission: Transmission, startedAtMs: number): OutgoingRequest {
  const { endpoint, faults } = transmission
  const { truncate, slow } = faults
  const whole = Buffer.from(transmission.body)
  const sentBytes = truncate ? Math.floor(whole.length * (truncate.keepShare ?? 0.5)) : whole.length
  const looksComplete = truncate?.contentLength === 'short'
  const body = looksComplete ? whole.subarray(0, sentBytes) : whole
  return {
    url: endpoint.url,
    headers: {
      'user-agent': 'scalekit-scim-simulator',
      accept: '*/*',
      ...signedHeaders(transmission, whole, startedAtMs),
      'content-length': String(body.length),
    },
    body,
    cutAfterBytes: truncate && !looksComplete ? sentBytes : undefined,
    overMs: slow && slow.seconds * 1000,
  }
}

/**
 * Signs with each secret of the endpoint, because there are two during a rotation. A space separates the signatures
 * (Standard Webhooks, Webhook metadata).
 */
function signedHeaders(
  { endpoint, messageId, trigger, faults, randomness }: Transmission,
  body: Buffer,
  startedAtMs: number,
): Record<string, string> {
  const at = new Date(startedAtMs + (faults.clockSkew?.seconds ?? 0) * 1000)
  const secrets = trigger === 'forge' ? [forgedSecret(randomness)] : endpoint.secrets
  const signed = secrets.map((secret) => signDelivery(body, { secret, messageId, at }).headers)
  const signatures = signed.map((headers) => headers['webhook-signature']).join(' ')
  const signature = faults.corruptSignature ? corrupted(signatures) : signatures
  return { ...signed[0], 'webhook-signature': signature }
}

/** Replaces the first letter of each signature. The format stays valid. */
function corrupted(signatures: string): string {
  return signatures.replace(/(?<=v1,)./g, (letter) => (letter === 'A' ? 'B' : 'A'))
}

function forgedSecret(randomness: Randomness): string {
  return `whsec_${randomBytes(randomness.fork('forger'), 24).toString('base64')}`
}

function attemptOf(
  { body: whole, number, trigger, faults }: Transmission,
  startedAtMs: number,
  { headers, body, cutAfterBytes = body.length }: OutgoingRequest,
  { response, error, durationMs }: Answer,
): Attempt {
  const struck = faultNames.filter((name) => faults[name] !== undefined)
  return {
    number,
    trigger,
    startedAtMs,
    durationMs: Math.round(durationMs),
    // All attempts share the string of the whole body, so that a log of 10,000 messages holds each body once.
    request: { headers, body: faults.truncate ? body.subarray(0, cutAfterBytes).toString() : whole },
    ...omitUndefined({ response, error }),
    faults: trigger === 'forge' ? ['forge', ...struck] : struck,
  }
}
