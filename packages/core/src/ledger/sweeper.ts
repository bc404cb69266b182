import type { Clock, Timer } from '../base/clock.ts'

/** The most rows that one step deletes from a table, so that no step holds locks or uses the disk for long. */
const stepRows = 500
const pauseMs = 60_000
/** The pause between two steps if there are more rows to delete. */
const stepPauseMs = 250

/**
 * Deletes expired rows in small steps, outside of any request. A step runs once a minute, or four times a second if
 * there are more rows to delete. If a step fails, no event is affected, and the next step deletes the rows.
 */
export class Sweeper {
  readonly #clock: Clock
  readonly #step: (limit: number) => Promise<number>
  #timer: Timer | undefined
  #stopped = false

  constructor(clock: Clock, step: (limit: number) => Promise<number>) {
    this.#clock = clock
    this.#step = step
    // A random delay, so that instances that start together do not sweep together.
    this.#sweepIn(pauseMs * Math.random())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #sweepIn(delayMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#clock.setTimeout(() => void this.#sweep(), delayMs)
  }

  async #sweep(): Promise<void> {
    const swept = await this.#step(stepRows).catch(() => 0)
    this.#sweepIn(swept < stepRows ? pauseMs : stepPauseMs)
  }
}
