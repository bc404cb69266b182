import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { signDelivery } from '@scalekit-scim/core/testing'
import { type Randomness, randomSecret } from '../randomness.ts'
import type { Endpoint } from './endpoints.ts'
import { type FaultName, faultNames, type WebhookFaults } from './faults.ts'
import type { Attempt, AttemptTrigger } from './messages.ts'
import type { WebhookClient } from './webhook-client.ts'

/** The input of an attempt. */
export interface Transmission {
  endpoint: Endpoint
  messageId: string
  body: string
  number: number
  trigger: AttemptTrigger
  faults: WebhookFaults
  randomness: Randomness
}

export type Transmitted = Awaited<ReturnType<typeof transmit>>

/** Signs and sends one attempt with its faults. */
export async function transmit(
  transmission: Transmission,
  { clock, client }: { clock: Clock; client: WebhookClient },
) {
  const { endpoint, body, number, trigger, faults } = transmission
  const { truncate, slow } = faults
  // While a caller makes 100,000 changes without a pause, Node cannot read answers. So the deadline starts only after
  // the caller has finished.
  await setImmediate()
  const startedAtMs = clock.now()
  const whole = Buffer.from(body)
  const sent = truncate ? whole.subarray(0, Math.floor(whole.length * (truncate.keepShare ?? 0.5))) : whole
  const isCut = truncate !== undefined && truncate.contentLength !== 'short'
  const headers = {
    'user-agent': 'scalekit-scim-simulator',
    accept: '*/*',
    ...signedHeaders(transmission, whole, startedAtMs),
    'content-length': String(isCut ? whole.length : sent.length),
  }
  const overMs = (slow?.seconds ?? 0) * 1000
  const answer = await client.send({ url: endpoint.url, headers, body: sent, isCut, overMs })
  const { response, error, timedOut, durationMs } = answer
  const struck: FaultName[] = faultNames.filter((name) => faults[name] !== undefined)
  const attempt: Attempt = {
    number,
    trigger,
    startedAtMs,
    durationMs: Math.round(durationMs),
    // All attempts share one string for the whole body. So the log of 10,000 messages contains each body once.
    request: { headers, body: truncate ? sent.toString() : body },
    ...omitUndefined({ response, error }),
    faults: trigger === 'forge' ? ['forge', ...struck] : struck,
  }
  return { attempt, timedOut }
}

/**
 * Signs with each secret of the endpoint, because an endpoint has two secrets during a rotation. A space separates the
 * signatures (Standard Webhooks, Webhook metadata).
 */
function signedHeaders(
  { endpoint, messageId, trigger, faults, randomness }: Transmission,
  body: Buffer,
  startedAtMs: number,
): Record<string, string> {
  const at = new Date(startedAtMs + (faults.clockSkew?.seconds ?? 0) * 1000)
  const secrets = trigger === 'forge' ? [randomSecret(randomness.fork('forger'))] : endpoint.secrets
  const signed = secrets.map((secret) => signDelivery(body, { secret, messageId, at }).headers)
  const signatures = signed.map((headers) => headers['webhook-signature']).join(' ')
  const signature = faults.corruptSignature ? corrupted(signatures) : signatures
  return { ...signed[0], 'webhook-signature': signature }
}

/** Replaces the first letter of each signature, so that the format is valid. */
function corrupted(signatures: string): string {
  return signatures.replace(/(?<=v1,)./g, (letter) => (letter === 'A' ? 'B' : 'A'))
}
