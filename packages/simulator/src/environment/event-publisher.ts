import type { Clock, DirectoryEvent } from '@scalekit-scim/core'
import { Listeners } from '../listeners.ts'
import type { Randomness } from '../randomness.ts'
import type { Envelope } from './events.ts'
import type { EnvironmentSnapshot } from './snapshot.ts'

export interface PublisherOptions {
  clock: Clock
  randomness: Randomness
  /** Returns the time of a change, in whole microseconds. @default the clock's time, later than every earlier change */
  stampMicros?: () => number
}

/** Creates the times of changes and the ids of records, and publishes events. */
export class EventPublisher {
  readonly environmentId: string
  readonly #options: PublisherOptions
  readonly #idPrefix: string
  readonly #listeners = new Listeners<[DirectoryEvent]>()
  #idCount: number
  #lastMicros: number
  #isSilent = false

  constructor(options: PublisherOptions, from?: EnvironmentSnapshot) {
    this.#options = options
    this.#idPrefix = from?.ids.prefix ?? String(10_000_000 + options.randomness.below(89_999_999))
    this.#idCount = from?.ids.count ?? 0
    this.#lastMicros = from?.lastMicros ?? 0
    this.environmentId = from?.id ?? this.nextId('env')
  }

  onEvent(listener: (event: DirectoryEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  silently<Result>(work: () => Result): Result {
    const before = this.#isSilent
    this.#isSilent = true
    try {
      return work()
    } finally {
      this.#isSilent = before
    }
  }

  /** The time of the next change. */
  nextMicros(): number {
    if (this.#options.stampMicros) return this.#options.stampMicros()
    this.#lastMicros = Math.max(Math.round(this.#options.clock.now() * 1000), this.#lastMicros + 1)
    return this.#lastMicros
  }

  /**
   * Returns an id in the format of Scalekit's ids, such as `org_62283166000000002`. It has digits from the seed, and
   * then a sequence number.
   */
  nextId(prefix: string): string {
    this.#idCount++
    return `${prefix}_${this.#idPrefix}${String(this.#idCount).padStart(9, '0')}`
  }

  /** A silent change also uses an event id, so that `silently` does not affect the ids that a seed gives. */
  publish(occurredAtMicros: number, eventIn: (envelope: Envelope) => DirectoryEvent): void {
    const { environmentId } = this
    const event = eventIn({ eventId: this.nextId('evt'), environmentId, occurredAtMicros })
    if (!this.#isSilent) this.#listeners.call(event)
  }

  export() {
    const ids = { prefix: this.#idPrefix, count: this.#idCount }
    return { id: this.environmentId, ids, lastMicros: this.#lastMicros }
  }
}
