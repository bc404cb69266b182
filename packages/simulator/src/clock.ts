import type { Clock, Timer } from '@scalekit-scim/core'
import { longestDelayMs } from '@scalekit-scim/core/internal'
import fastq from 'fastq'
import { Heap } from 'heap-js'

export interface SimulatorClockOptions {
  /** The speed. At 2, the clock runs twice as fast as real time. At 0, only `step` moves the clock. @default 1 */
  speed?: number
  /** The clock's time at the start. @default now */
  from?: Date
}

/**
 * The simulator's clock. The clock runs at real speed or faster, or moves only by steps.
 *
 * If the time of a signature differs too much from a receiver's clock, the receiver refuses the signature. So if this
 * clock does not run at real speed, also use this clock in the receiver.
 */
export class SimulatorClock implements Clock {
  /** `step` awaits this function after each timer, so that all work of the timer ends before the next timer fires. */
  settled: () => Promise<void> = async () => {}
  readonly #timers = new TimerQueue()
  #speed: number
  #anchor: { wallMs: number; elapsedMs: number; realWallMs: number; realElapsedMs: number }
  #nextTimeout: NodeJS.Timeout | undefined
  #isStepping = false
  readonly #steps = fastq.promise(async (ms: number) => this.#step(ms), 1)

  constructor({ speed = 1, from = new Date() }: SimulatorClockOptions = {}) {
    this.#speed = requireSpeed(speed)
    this.#anchor = anchorAt(from.getTime(), 0)
  }

  get speed(): number {
    return this.#speed
  }

  set speed(speed: number) {
    requireSpeed(speed)
    this.#anchor = anchorAt(this.now(), this.monotonic())
    this.#speed = speed
    this.#schedule()
  }

  /** Uses the machine's wall clock, because the monotonic clock of many machines stops during sleep. */
  now(): number {
    const { wallMs, realWallMs } = this.#anchor
    return Math.floor(wallMs + (Date.now() - realWallMs) * this.#currentSpeed)
  }

  monotonic(): number {
    const { elapsedMs, realElapsedMs } = this.#anchor
    return elapsedMs + (performance.now() - realElapsedMs) * this.#currentSpeed
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer = this.#timers.add(this.monotonic() + Math.max(delayMs, 0), callback)
    this.#schedule()
    return timer
  }

  /**
   * Moves the clock forward. Due timers fire at their own times, one after another. The work of a timer ends
   * before the next timer fires. During a step, real time does not move the clock. Steps run one after another.
   */
  async step(ms: number): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) throw new RangeError('a step must be zero milliseconds or more')
    return this.#steps.push(ms)
  }

  /** Cancels all timers. */
  close(): void {
    this.#timers.clear()
    clearTimeout(this.#nextTimeout)
  }

  get #currentSpeed(): number {
    return this.#isStepping ? 0 : this.#speed
  }

  async #step(ms: number): Promise<void> {
    this.#anchor = anchorAt(this.now(), this.monotonic())
    this.#isStepping = true
    clearTimeout(this.#nextTimeout)
    try {
      await this.#settle()
      const endMs = this.#anchor.elapsedMs + ms
      for (let { next } = this.#timers; next && next.atMs <= endMs; next = this.#timers.next) {
        this.#moveTo(next.atMs)
        this.#timers.fire(next.atMs)
        await this.#settle()
      }
      this.#moveTo(endMs)
    } finally {
      this.#anchor = anchorAt(this.#anchor.wallMs, this.#anchor.elapsedMs)
      this.#isStepping = false
      this.#schedule()
    }
  }

  /** Waits for pending promises before and after `settled`, because pending promises can start work. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    await this.settled()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #moveTo(elapsedMs: number): void {
    const byMs = Math.max(elapsedMs - this.#anchor.elapsedMs, 0)
    this.#anchor = anchorAt(this.#anchor.wallMs + byMs, this.#anchor.elapsedMs + byMs)
  }

  /** Sets a Node timer for the time of this clock's next timer. */
  #schedule(): void {
    clearTimeout(this.#nextTimeout)
    const { next } = this.#timers
    if (!next || this.#currentSpeed === 0) return
    const delayMs = Math.ceil(Math.max(next.atMs - this.monotonic(), 0) / this.#speed)
    this.#nextTimeout = setTimeout(() => this.#fireDue(), Math.min(delayMs, longestDelayMs)).unref()
  }

  #fireDue(): void {
    try {
      this.#timers.fire(this.monotonic())
    } finally {
      this.#schedule()
    }
  }
}

/** Returns the start point for the calculation of time. */
function anchorAt(wallMs: number, elapsedMs: number) {
  return { wallMs, elapsedMs, realWallMs: Date.now(), realElapsedMs: performance.now() }
}

function requireSpeed(speed: number): number {
  if (speed >= 0 && Number.isFinite(speed)) return speed
  throw new RangeError('the speed of a clock must be zero or more')
}

interface TimerEntry {
  readonly atMs: number
  /** Timers with the same time fire in the order in which they were set. */
  readonly order: number
  readonly callback: () => void
}

/**
 * Timers in the order of their time. A simulator can have 100,000 timers, one for each retry. The heap also contains
 * cancelled timers, because their removal needs a search.
 */
class TimerQueue {
  readonly #heap = new Heap<TimerEntry>((one, other) => one.atMs - other.atMs || one.order - other.order)
  readonly #pending = new Set<TimerEntry>()
  #count = 0

  add(atMs: number, callback: () => void): Timer {
    const entry: TimerEntry = { atMs, order: this.#count++, callback }
    this.#pending.add(entry)
    this.#heap.push(entry)
    // Removes cancelled timers, so that the heap does not grow without limit.
    if (this.#heap.length > 2 * this.#pending.size + 1000) this.#heap.init([...this.#pending])
    return { cancel: () => void this.#pending.delete(entry) }
  }

  /**
   * Fires all timers that are due by `byMs`. If a fired timer sets another timer that is due by `byMs`, the new
   * timer also fires.
   */
  fire(byMs: number): void {
    for (let { next } = this; next && next.atMs <= byMs; next = this.next) {
      this.#pending.delete(next)
      next.callback()
    }
  }

  clear(): void {
    this.#pending.clear()
  }

  get next(): TimerEntry | undefined {
    let first = this.#heap.peek()
    while (first && !this.#pending.has(first)) {
      this.#heap.pop()
      first = this.#heap.peek()
    }
    return first
  }
}
