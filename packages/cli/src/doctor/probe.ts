import { createHmac } from 'node:crypto'
import { type SignedDelivery, type SignOptions, signDelivery } from '@scalekit-scim/core/testing'
import type { Target } from '../endpoint.ts'
import { type Exchange, exchange, type Request } from '../exchange.ts'
import type { JsonObject } from '../files.ts'
import { newId } from '../sample.ts'
import { isLimited } from './finding.ts'

/** No application handles it, so nothing is written. */
const probeType = 'scalekit_scim.doctor_probe'

/** Sends to the endpoint, signs as asked, and keeps in mind what all answers have in common. */
export class Probe {
  /** Of the answers to signed deliveries. */
  slowestMs = 0
  /** Whether it takes what is valid: else little can be told from what it refuses. */
  isAccepted = false
  /** Nobody listens there any more. */
  isGone = false
  /** A rate limit has answered, since this was set to false. */
  isLimited = false
  readonly #target: Target
  readonly #signal: AbortSignal | undefined

  constructor(target: Target, signal?: AbortSignal) {
    this.#target = target
    this.#signal = signal
  }

  /** The same endpoint, for what must be done also after an interruption. */
  uninterrupted(): Probe {
    return new Probe(this.#target)
  }

  get isInterrupted(): boolean {
    return this.#signal?.aborted ?? false
  }

  /** An event that nobody handles, with something in it. */
  event(content: unknown = 'plain'): JsonObject {
    const id = newId('evt')
    return {
      spec_version: '1',
      id,
      type: probeType,
      occurred_at: new Date().toISOString(),
      environment_id: 'env_doctor',
      organization_id: 'org_doctor',
      object: 'DoctorProbe',
      data: { id: id.replace('evt_', 'doctor_'), organization_id: 'org_doctor', content },
    }
  }

  /** The text of such an event, with a piece of JSON in it as it is. */
  textWith(fragment: string): string {
    return JSON.stringify(this.event('@')).replace('"@"', () => fragment)
  }

  sign(body: object | string | Uint8Array = this.event(), options: SignOptions = {}): SignedDelivery {
    return signDelivery(body, { secret: this.#target.secret, ...options })
  }

  async post(request: Request): Promise<Exchange> {
    const outcome = await exchange(this.#target.url, request, { signal: this.#signal })
    if (outcome.kind === 'no-answer' && outcome.reason === 'no-connection') this.isGone = true
    if (isLimited(outcome)) this.isLimited = true
    return outcome
  }

  async deliver(body?: object | string | Uint8Array, options?: SignOptions): Promise<Exchange> {
    const outcome = await this.post(this.sign(body, options))
    this.slowestMs = Math.max(this.slowestMs, outcome.durationMs)
    return outcome
  }
}

export function withHeaders(
  { headers, ...delivery }: SignedDelivery,
  changes: Readonly<Record<string, string | undefined>>,
): Request {
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...headers, ...changes })) {
    if (value !== undefined) fields[name] = value
  }
  return { ...delivery, headers: fields }
}

/** The signature that somebody makes who knows nothing: with the key that no bytes make. */
export function signatureByEmptyKey({ headers, body }: SignedDelivery): string {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.`
  return `v1,${createHmac('sha256', '').update(signed).update(body).digest('base64')}`
}

/** A usable secret that is not the endpoint's. */
export function someSecret(): string {
  return `whsec_${Buffer.from(newId('')).toString('base64')}`
}
