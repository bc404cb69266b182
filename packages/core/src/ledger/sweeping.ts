import type { Clock, Timer } from '../base/clock.ts'

/** At most so many rows of a table in one step: no step holds locks, or the disk, for long. */
const stepRows = 500
const pauseMs = 60_000
/** Between two steps while there is more. */
const stepPauseMs = 250

/**
 * Deletes what has expired, outside of any request and in bounded steps: again soon while there is more, else once a
 * minute. A step that fails is no event's concern: the next one does its work.
 */
export class Sweeping {
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
