import type { Clock, DirectoryEvent } from '@scalekit-scim/core'
import { Listeners } from '../listeners.ts'
import type { Randomness } from '../randomness.ts'
import { type EventContent, formatMicros } from './events.ts'
import type { EnvironmentSnapshot } from './records.ts'

export interface EnvironmentOptions {
  clock: Clock
  randomness: Randomness
  /** Returns the time of a change, in whole microseconds. @default the clock's time, but later than earlier changes */
  stampMicros?: () => number
  /** The records at the start. @default none */
  from?: EnvironmentSnapshot
}

export type EventListener = (event: DirectoryEvent) => void

/** Creates the times of changes and the ids of records, and publishes events. */
export class EventPublisher {
  /** `env_…` */
  readonly id: string
  protected readonly randomness: Randomness
  readonly #options: EnvironmentOptions
  readonly #idPrefix: string
  readonly #listeners = new Listeners<[DirectoryEvent]>()
  #idCount: number
  #lastMicros: number
  #isSilent = false

  constructor(options: EnvironmentOptions) {
    const { randomness, from } = options
    this.#options = options
    this.randomness = randomness
    this.#idPrefix = from?.ids.prefix ?? String(10_000_000 + randomness.below(89_999_999))
    this.#idCount = from?.ids.count ?? 0
    this.#lastMicros = from?.lastMicros ?? 0
    this.id = from?.id ?? this.nextId('env')
  }

  /**
   * Calls the listener for each event, in the order of the changes. The method that makes a change returns after the
   * call. Returns a function that stops the calls. An error in the listener becomes an uncaught exception.
   */
  onEvent(listener: EventListener): () => void {
    return this.#listeners.add(listener)
  }

  /** Runs changes without publishing events, for example to create records that are older than the application. */
  silently<Result>(work: () => Result): Result {
    const before = this.#isSilent
    this.#isSilent = true
    try {
      return work()
    } finally {
      this.#isSilent = before
    }
  }

  /** Returns the time of the next change. */
  protected nextMicros(): number {
    if (this.#options.stampMicros) return this.#options.stampMicros()
    this.#lastMicros = Math.max(Math.round(this.#options.clock.now() * 1000), this.#lastMicros + 1)
    return this.#lastMicros
  }

  /**
   * Returns an id in the format of Scalekit's ids, such as `org_62283166000000002`. The first digits come from the
   * seed. The last nine digits are a sequence number.
   */
  protected nextId(prefix: string): string {
    this.#idCount++
    return `${prefix}_${this.#idPrefix}${String(this.#idCount).padStart(9, '0')}`
  }

  /** Publishes an event. A silent change also uses an event id, so that `silently` does not change later ids. */
  protected publish(occurredAtMicros: number, { type, object, data }: EventContent): void {
    const event = {
      spec_version: '1',
      id: this.nextId('evt'),
      type,
      occurred_at: formatMicros(occurredAtMicros),
      environment_id: this.id,
      organization_id: data.organization_id,
      object,
      data,
    }
    // Each function in events.ts pairs a type with its own data. The compiler cannot check the pairs of a union.
    if (!this.#isSilent) this.#listeners.call(event as DirectoryEvent)
  }

  protected exportCounts() {
    const ids = { prefix: this.#idPrefix, count: this.#idCount }
    return { id: this.id, ids, lastMicros: this.#lastMicros }
  }
}
