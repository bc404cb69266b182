import type { Clock } from '@scalekit-scim/core'
import { signDelivery } from '@scalekit-scim/core/testing'
import { Listeners } from '../listeners.ts'
import type { Randomness } from '../randomness.ts'
import { DeliveryError } from './errors.ts'

export interface NewEndpoint {
  /** http or https. */
  url: string
  /** @default one that the seed decides */
  secret?: string
  /** The event types that it gets. @default all */
  types?: readonly string[]
}

export interface Endpoint {
  /** `ep_…` */
  readonly id: string
  readonly url: string
  /** Those that sign now, the newest first. */
  readonly secrets: readonly string[]
  readonly types?: readonly string[]
}

export interface RotateOptions {
  /** How long the old secret signs too. @default 86 400 */
  keepOldSeconds?: number
  /** The new one. @default one that the seed decides */
  secret?: string
}

/** An endpoint as a file keeps it. */
export interface StoredEndpoint {
  id: string
  url: string
  types?: readonly string[]
  /** The newest first. */
  secrets: readonly { secret: string; expiresAtMs?: number }[]
}

const keepOldSecondsByDefault = 86_400

/** Where events go, and with which secrets they are signed. */
export class Endpoints {
  readonly #clock: Clock
  readonly #randomness: Randomness
  readonly #stored = new Map<string, StoredEndpoint>()
  readonly #listeners = new Listeners()
  /** How many ids and secrets were drawn: after a restart the next one must be new. */
  #drawn = 0

  constructor(clock: Clock, randomness: Randomness) {
    this.#clock = clock
    this.#randomness = randomness
  }

  get all(): Endpoint[] {
    return [...this.#stored.values()].map((stored) => this.#public(stored))
  }

  find(id: string): Endpoint | undefined {
    const stored = this.#stored.get(id)
    return stored && this.#public(stored)
  }

  /** Calls the listener after each change; gives what stops that. */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  add({ url, secret, types }: NewEndpoint): Endpoint {
    requireUrl(url)
    const id = `ep_${this.#drawBytes(15).toString('hex')}`
    const first = { secret: secret === undefined ? this.#newSecret() : requireSecret(secret) }
    const stored = { id, url, ...(types ? { types: [...types] } : {}), secrets: [first] }
    this.#put(stored)
    return this.#public(stored)
  }

  remove(id: string): void {
    this.#require(id)
    this.#stored.delete(id)
    this.#listeners.tell()
  }

  rotateSecret(id: string, options: RotateOptions = {}): Endpoint {
    const { secret, keepOldSeconds = keepOldSecondsByDefault } = options
    const before = this.#require(id)
    const newest = { secret: secret === undefined ? this.#newSecret() : requireSecret(secret) }
    const lastMs = this.#clock.now() + keepOldSeconds * 1000
    const old = before.secrets.map(({ secret, expiresAtMs = lastMs }) => ({
      secret,
      expiresAtMs: Math.min(expiresAtMs, lastMs),
    }))
    const after = { ...before, secrets: [newest, ...old.filter((one) => this.#isValid(one))] }
    this.#put(after)
    return this.#public(after)
  }

  export(): { endpoints: StoredEndpoint[]; drawn: number } {
    return { endpoints: [...this.#stored.values()], drawn: this.#drawn }
  }

  restore({ endpoints, drawn }: { endpoints: readonly StoredEndpoint[]; drawn: number }): void {
    this.#stored.clear()
    for (const endpoint of endpoints) this.#stored.set(endpoint.id, endpoint)
    this.#drawn = drawn
  }

  #put(endpoint: StoredEndpoint): void {
    this.#stored.set(endpoint.id, endpoint)
    this.#listeners.tell()
  }

  #public({ id, url, types, secrets }: StoredEndpoint): Endpoint {
    const valid = secrets.filter((one) => this.#isValid(one)).map(({ secret }) => secret)
    return { id, url, secrets: valid, ...(types ? { types } : {}) }
  }

  #isValid({ expiresAtMs = Number.POSITIVE_INFINITY }: { expiresAtMs?: number }): boolean {
    return expiresAtMs > this.#clock.now()
  }

  #require(id: string): StoredEndpoint {
    const stored = this.#stored.get(id)
    if (!stored) throw new DeliveryError('not-found', 'endpoint not found')
    return stored
  }

  #newSecret(): string {
    return `whsec_${this.#drawBytes(24).toString('base64')}`
  }

  #drawBytes(count: number): Buffer {
    const randomness = this.#randomness.fork(String(++this.#drawn))
    return Buffer.from(Array.from({ length: count }, () => randomness.below(256)))
  }
}

function requireUrl(url: string): void {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return
  throw new DeliveryError('invalid', 'url must be a full http or https URL')
}

/** @throws ConfigurationError as a receiver would, which the same secret is for */
function requireSecret(secret: string): string {
  signDelivery('', { secret })
  return secret
}
