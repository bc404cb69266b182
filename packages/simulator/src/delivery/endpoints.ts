import type { Clock } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { signDelivery } from '@scalekit-scim/core/testing'
import { Listeners } from '../listeners.ts'
import { type Randomness, randomBytes, randomSecret } from '../randomness.ts'
import { DeliveryError } from './messages.ts'
import type { StoredDeliveries, StoredEndpoint } from './stored.ts'

export interface NewEndpoint {
  /** http or https. */
  url: string
  /** @default a secret that depends on the seed */
  secret?: string
  /** The event types that the endpoint receives. @default all */
  types?: readonly string[]
}

export interface Endpoint {
  /** `ep_…` */
  readonly id: string
  readonly url: string
  /** The current signing secrets, the newest first. */
  readonly secrets: readonly string[]
  readonly types?: readonly string[]
}

export interface RotateOptions {
  /** How long the old secret also signs attempts, in seconds. @default 86 400 */
  keepOldSeconds?: number
  /** The new secret. @default a secret that depends on the seed */
  secret?: string
}

const defaultKeepOldSeconds = 86_400

/** The destinations of events, and their signing secrets. For an unknown endpoint, throws DeliveryError 'not-found'. */
export class Endpoints {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #stored = new Map<string, StoredEndpoint>()
  readonly #listeners = new Listeners()
  /**
   * The number of random ids and secrets, including earlier runs. The file contains this number, so that no id or
   * secret repeats after a restart.
   */
  #drawn = 0

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock
    this.#randomness = randomness
  }

  get endpoints(): Endpoint[] {
    return [...this.#stored.values()].map((stored) => this.#public(stored))
  }

  /**
   * Calls the listener after each change to the endpoints. Returns a function that stops the calls. An error in the
   * listener becomes an uncaught exception.
   */
  onEndpointsChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** @throws DeliveryError 'invalid'; ConfigurationError if the secret is invalid */
  addEndpoint({ url, secret, types }: NewEndpoint): Endpoint {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new DeliveryError('invalid', 'url must be a full http or https URL')
    }
    const id = `ep_${randomBytes(this.#draw(), 15).toString('hex')}`
    const secrets = [{ secret: this.#secretOr(secret) }]
    return this.#put({ id, url, ...omitUndefined({ types: types && [...types] }), secrets })
  }

  removeEndpoint(id: string): void {
    this.#require(id)
    this.#stored.delete(id)
    this.#listeners.call()
  }

  /** Adds a new signing secret. The old secret also signs attempts until `keepOldSeconds` have passed. */
  rotateSecret(id: string, options: RotateOptions = {}): Endpoint {
    const { secret, keepOldSeconds = defaultKeepOldSeconds } = options
    const before = this.#require(id)
    const newest = { secret: this.#secretOr(secret) }
    const lastMs = this.#clock.now() + keepOldSeconds * 1000
    const old = before.secrets.map(({ secret, expiresAtMs = lastMs }) => ({
      secret,
      expiresAtMs: Math.min(expiresAtMs, lastMs),
    }))
    return this.#put({ ...before, secrets: [newest, ...old.filter((one) => this.#isValid(one))] })
  }

  protected endpoint(id: string): Endpoint {
    return this.#public(this.#require(id))
  }

  protected exportEndpoints(): Pick<StoredDeliveries, 'endpoints' | 'drawn'> {
    return { endpoints: [...this.#stored.values()], drawn: this.#drawn }
  }

  protected restoreEndpoints({ endpoints, drawn }: StoredDeliveries): void {
    this.#stored.clear()
    for (const endpoint of endpoints) this.#stored.set(endpoint.id, endpoint)
    this.#drawn = drawn
  }

  #put(stored: StoredEndpoint): Endpoint {
    this.#stored.set(stored.id, stored)
    this.#listeners.call()
    return this.#public(stored)
  }

  #public({ id, url, types, secrets }: StoredEndpoint): Endpoint {
    const valid = secrets.filter((one) => this.#isValid(one)).map(({ secret }) => secret)
    return { id, url, secrets: valid, ...omitUndefined({ types }) }
  }

  #isValid({ expiresAtMs = Number.POSITIVE_INFINITY }: { expiresAtMs?: number }): boolean {
    return expiresAtMs > this.#clock.now()
  }

  #require(id: string): StoredEndpoint {
    const stored = this.#stored.get(id)
    if (!stored) throw new DeliveryError('not-found', 'endpoint not found')
    return stored
  }

  /** @throws ConfigurationError for a secret that a receiver refuses */
  #secretOr(secret: string | undefined): string {
    if (secret === undefined) return randomSecret(this.#draw())
    signDelivery('', { secret })
    return secret
  }

  #draw(): Randomness {
    return this.#randomness.fork(String(++this.#drawn))
  }
}
