import type { Clock } from '@scalekit-scim/core'

const windowMs = 60_000

/** Counts calls in windows of a minute, as Scalekit says that it does. */
export class RateLimit {
  readonly #clock: Clock
  readonly #requestsPerMinute: number
  #windowEndsAtMs = 0
  #taken = 0

  constructor(clock: Clock, requestsPerMinute: number = Infinity) {
    this.#clock = clock
    this.#requestsPerMinute = requestsPerMinute
  }

  take(): boolean {
    const nowMs = this.#clock.monotonic()
    if (nowMs >= this.#windowEndsAtMs) {
      this.#windowEndsAtMs = nowMs + windowMs
      this.#taken = 0
    }
    this.#taken++
    return this.#taken <= this.#requestsPerMinute
  }
}
