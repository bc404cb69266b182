import type { Clock, Timer } from '@scalekit-scim/core'
import { longestDelayMs } from '@scalekit-scim/core/internal'
import { TimerQueue } from './timer-queue.ts'

export interface SimulatorClockOptions {
  /** How much faster than real time it goes; at 0 it stands still but for `step`. @default 1 */
  speed?: number
  /** Its time at the start. @default now */
  from?: Date
}

/**
 * The simulator's time: real time, faster, or standing still until it is told to step.
 *
 * A receiver on the system's clock refuses what a clock that is more than its tolerance away has signed: one that is
 * to take a faster or a stepped simulator's deliveries is given this clock.
 */
export class SimulatorClock implements Clock {
  /** What `step` awaits after each timer, so that all it started comes to its end before time goes on. */
  settled: () => Promise<void> = async () => {}
  readonly #timers = new TimerQueue()
  #speed: number
  #anchor: { wallMs: number; elapsedMs: number; realWallMs: number; realElapsedMs: number }
  #alarm: NodeJS.Timeout | undefined
  #isStepping = false
  #steps: Promise<void> = Promise.resolve()

  constructor({ speed = 1, from = new Date() }: SimulatorClockOptions = {}) {
    this.#speed = requireSpeed(speed)
    this.#anchor = {
      wallMs: from.getTime(),
      elapsedMs: 0,
      realWallMs: Date.now(),
      realElapsedMs: performance.now(),
    }
  }

  get speed(): number {
    return this.#speed
  }

  set speed(speed: number) {
    requireSpeed(speed)
    this.#drop(this.now(), this.monotonic())
    this.#speed = speed
    this.#arm()
  }

  /** By the machine's wall clock and not its monotonic one, which on many stops while the machine sleeps. */
  now(): number {
    const { wallMs, realWallMs } = this.#anchor
    return Math.floor(wallMs + (Date.now() - realWallMs) * this.#pace)
  }

  monotonic(): number {
    const { elapsedMs, realElapsedMs } = this.#anchor
    return elapsedMs + (performance.now() - realElapsedMs) * this.#pace
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const remove = this.#timers.add(this.monotonic() + Math.max(delayMs, 0), callback)
    this.#arm()
    return { cancel: remove }
  }

  /**
   * Moves time on by that much: each timer that falls due fires in its order, at its time, and what it started comes
   * to its end before the next one does. A running clock stands still meanwhile. Steps wait for one another.
   */
  async step(ms: number): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError('a step must be zero milliseconds or more')
    const step = this.#steps.then(() => this.#step(ms))
    this.#steps = step.catch(() => {})
    return step
  }

  /** Forgets all timers. */
  close(): void {
    this.#timers.clear()
    clearTimeout(this.#alarm)
  }

  get #pace(): number {
    return this.#isStepping ? 0 : this.#speed
  }

  async #step(ms: number): Promise<void> {
    this.#drop(this.now(), this.monotonic())
    this.#isStepping = true
    clearTimeout(this.#alarm)
    try {
      await this.#settle()
      const endMs = this.#anchor.elapsedMs + ms
      for (let nextMs = this.#timers.nextMs; nextMs !== undefined && nextMs <= endMs; ) {
        this.#moveTo(nextMs)
        for (let fire = this.#timers.take(nextMs); fire; fire = this.#timers.take(nextMs)) fire()
        await this.#settle()
        nextMs = this.#timers.nextMs
      }
      this.#moveTo(endMs)
    } finally {
      this.#drop(this.#anchor.wallMs, this.#anchor.elapsedMs)
      this.#isStepping = false
      this.#arm()
    }
  }

  /** Promises that wait for nothing else run to their end first: they may be about to start something. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    await this.settled()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #moveTo(elapsedMs: number): void {
    const bySteps = Math.max(elapsedMs - this.#anchor.elapsedMs, 0)
    this.#drop(this.#anchor.wallMs + bySteps, this.#anchor.elapsedMs + bySteps)
  }

  /** From here on time is counted from this point. */
  #drop(wallMs: number, elapsedMs: number): void {
    this.#anchor = { wallMs, elapsedMs, realWallMs: Date.now(), realElapsedMs: performance.now() }
  }

  #arm(): void {
    clearTimeout(this.#alarm)
    const nextMs = this.#timers.nextMs
    if (nextMs === undefined || this.#pace === 0) return
    const delayMs = Math.ceil(Math.max(nextMs - this.monotonic(), 0) / this.#speed)
    this.#alarm = setTimeout(() => this.#ring(), Math.min(delayMs, longestDelayMs))
    this.#alarm.unref()
  }

  #ring(): void {
    const dueMs = this.monotonic()
    try {
      for (let fire = this.#timers.take(dueMs); fire; fire = this.#timers.take(dueMs)) fire()
    } finally {
      this.#arm()
    }
  }
}

function requireSpeed(speed: number): number {
  if (speed >= 0 && Number.isFinite(speed)) return speed
  throw new RangeError("a clock's speed must be zero or more")
}
