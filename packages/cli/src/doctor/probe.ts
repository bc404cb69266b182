import { createHmac } from 'node:crypto'
import { type SignedDelivery, type SignOptions, signDelivery } from '@scalekit-scim/core/testing'
import { eventNow, newId } from '../event.ts'
import { type Exchange, exchange, type Request } from '../exchange.ts'
import type { JsonObject } from '../files.ts'

/** The outcomes of deliveries. Each key describes its delivery. */
export type Outcomes = Readonly<Record<string, Exchange>>

type Body = object | string | Uint8Array

/** Sends deliveries to the endpoint. Records the slowest answer, rate limits and refused connections. */
export class Probe {
  /** The longest time that the endpoint took to answer a signed delivery. */
  slowestMs = 0
  /**
   * Whether the endpoint accepts valid deliveries. If the endpoint refuses valid deliveries, a refused forged
   * delivery does not prove anything.
   */
  acceptsValid = false
  /** Whether the endpoint refuses connections. */
  isGone = false
  /** Whether the endpoint has answered with 429 since this field was last set to `false`. */
  isLimited = false
  readonly #url: URL
  readonly #secret: string
  readonly #signal: AbortSignal | undefined

  constructor(url: URL, secret: string, signal?: AbortSignal) {
    this.#url = url
    this.#secret = secret
    this.#signal = signal
  }

  /** Returns a probe of the same endpoint that can send requests after an interruption. */
  uninterrupted(): Probe {
    return new Probe(this.#url, this.#secret)
  }

  get isInterrupted(): boolean {
    return this.#signal?.aborted ?? false
  }

  /** Returns an event of a type that no application handles, so that the application writes nothing. */
  event(content: unknown = 'plain'): JsonObject {
    return {
      ...eventNow('scalekit_scim.doctor_probe'),
      environment_id: 'env_doctor',
      organization_id: 'org_doctor',
      object: 'DoctorProbe',
      data: { id: newId('doctor'), organization_id: 'org_doctor', content },
    }
  }

  sign(body: Body = this.event(), options: SignOptions = {}): SignedDelivery {
    return signDelivery(body, { secret: this.#secret, ...options })
  }

  /** Returns a signed delivery with changed headers. Does not send a header that is `undefined`. */
  signThenSet(changes: Readonly<Record<string, string | undefined>>, delivery = this.sign()): Request {
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries({ ...delivery.headers, ...changes })) {
      if (value !== undefined) headers[name] = value
    }
    return { ...delivery, headers }
  }

  /** Returns a delivery that is signed with another secret. */
  forge(): SignedDelivery {
    return this.sign(undefined, { secret: `whsec_${Buffer.from(newId('')).toString('base64')}` })
  }

  /** Returns a delivery that is signed with an empty key. Anybody can create such a delivery without the secret. */
  forgeWithEmptyKey(): Request {
    const delivery = this.sign()
    const signed = `${delivery.headers['webhook-id']}.${delivery.headers['webhook-timestamp']}.`
    const signature = createHmac('sha256', '').update(signed).update(delivery.body).digest('base64')
    return this.signThenSet({ 'webhook-signature': `v1,${signature}` }, delivery)
  }

  async post(request: Request): Promise<Exchange> {
    const outcome = await exchange(this.#url, request, { signal: this.#signal })
    if (outcome.kind === 'no-answer' && outcome.reason === 'no-connection') this.isGone = true
    if (outcome.status === 429) this.isLimited = true
    return outcome
  }

  /** Sends named requests, one after another. */
  async postAll(requests: Readonly<Record<string, Request>>): Promise<Outcomes> {
    const outcomes: Record<string, Exchange> = {}
    for (const [what, request] of Object.entries(requests)) outcomes[what] = await this.post(request)
    return outcomes
  }

  async deliver(body?: Body, options?: SignOptions): Promise<Exchange> {
    const outcome = await this.post(this.sign(body, options))
    this.slowestMs = Math.max(this.slowestMs, outcome.durationMs)
    return outcome
  }
}
