import type { Clock, Timer } from '../base/clock.ts'

/** The most rows of a table in one step, so that no step holds locks, or the disk, for long. */
const stepRows = 500
const pauseMs = 60_000
/** Between two steps while there are more rows. */
const stepPauseMs = 250

/**
 * Deletes expired rows in bounded steps, outside of any request: four times a second while there are more, else once a
 * minute. A failed step affects no event, and the next step deletes the rows.
 */
export class Sweeper {
  readonly #clock: Clock
  readonly #step: (limit: number) => Promise<number>
  #timer: Timer | undefined
  #stopped = false

  constructor(clock: Clock, step: (limit: number) => Promise<number>) {
    this.#clock = clock
    this.#step = step
    // Instances that start together do not sweep together.
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
