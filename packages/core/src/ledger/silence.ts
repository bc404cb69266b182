import type { Clock } from '../base/clock.ts'

/**
 * A server that has left calls unanswered for this long is gone, and its address may now lead to another server. A dead
 * host does not end its connections, so the client alone would wait much longer.
 */
export const deadAfterMs = 30_000

/** Measures for how long a server has left calls unanswered. */
export class Silence {
  readonly #clock: Clock
  #sinceMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** To be called before each call to the server. If the silence has lasted for too long, it is measured from now on again. */
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
