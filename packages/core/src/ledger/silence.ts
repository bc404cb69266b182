import type { Clock } from '../base/clock.ts'

/**
 * A server that has not answered calls for this long counts as dead. Its address may now lead to another server. A dead
 * host does not end its connections. Without this limit, the client would wait much longer.
 */
export const deadAfterMs = 30_000

/** Measures how long a server has not answered calls. */
export class Silence {
  readonly #clock: Clock
  #sinceMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Call this before each call to the server. If it returns `true`, the measurement starts again. */
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
