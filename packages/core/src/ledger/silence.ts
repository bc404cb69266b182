import type { Clock } from '../base/clock.ts'

/**
 * If a server has not answered calls for this long, the ledger uses a new connection. The address can now lead to
 * another server. A stopped host does not end its connections, so without this limit the client would wait much longer.
 */
export const deadAfterMs = 30_000

/** Measures how long a server has not answered calls. */
export class Silence {
  readonly #clock: Clock
  #sinceMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Call this method before each call to the server. If this method returns `true`, the measurement starts again. */
  isTooLong(limitMs = deadAfterMs): boolean {
    const nowMs = this.#clock.monotonic()
    this.#sinceMs ??= nowMs
    if (nowMs - this.#sinceMs < limitMs) return false
    this.#sinceMs = nowMs
    return true
  }

  end(): void {
    this.#sinceMs = undefined
  }
}
