/** The clock and the timers of a receiver. Tests replace the clock, so that no test waits for real time. */
export interface Clock {
  /**
   * The wall clock, in milliseconds since 1970. The receiver uses this clock for the tolerance and for event times in
   * the future.
   */
  now(): number
  /**
   * A clock that never jumps, in milliseconds since an arbitrary start. The receiver uses this clock for leases and
   * deadlines.
   */
  monotonic(): number
  setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): Timer
}

export interface TimerOptions {
  /**
   * Whether the process continues to run until the timer fires. If a caller awaits the timer, set this option to
   * `true`.
   * @default false
   */
  keepsAlive?: boolean
}

export interface Timer {
  cancel(): void
}

/** The longest delay that Node's timers accept. A timer with a longer delay would fire immediately. */
export const longestDelayMs = 2_147_483_647

class SystemTimer implements Timer {
  readonly #timer: NodeJS.Timeout

  constructor(callback: () => void, delayMs: number, keepsAlive: boolean) {
    this.#timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), longestDelayMs))
    if (!keepsAlive) this.#timer.unref()
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delayMs, options) =>
    new SystemTimer(callback, delayMs, options?.keepsAlive ?? false),
}

/** Options for timers that a caller awaits. The process runs until such timers fire. */
export const awaited: TimerOptions = { keepsAlive: true }

/** Options for timers that no caller awaits. The process can end before such timers fire. */
export const inBackground: TimerOptions = { keepsAlive: false }

/** Resolves after `delayMs`, or as soon as the signal aborts. */
export function delay(
  clock: Clock,
  delayMs: number,
  signal?: AbortSignal,
  options: TimerOptions = awaited,
): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = clock.setTimeout(end, delayMs, options)
    signal?.addEventListener('abort', end)
  })
}

/** The result of `within` for a promise that did not settle in time. */
export const timedOut: unique symbol = Symbol('timed out')

/**
 * Returns the promise's value. If the promise has not settled after `delayMs`, returns `timedOut`. Does not cancel the
 * promise.
 * @param delayMs If `Infinity`, there is no time limit, and no timer
 */
export function within<T>(
  clock: Clock,
  promise: Promise<T>,
  delayMs: number,
  options: TimerOptions = inBackground,
): Promise<T | typeof timedOut> {
  if (delayMs === Number.POSITIVE_INFINITY) return promise
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve(timedOut), delayMs, options)
    promise.then(
      (value) => {
        timer.cancel()
        resolve(value)
      },
      (error) => {
        timer.cancel()
        reject(error)
      },
    )
  })
}

/** The latest time for an answer. */
export class Deadline {
  readonly #clock: Clock
  readonly #atMs: number

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock
    this.#atMs = clock.monotonic() + delayMs
  }

  /** Milliseconds until the deadline. Negative after the deadline. */
  get leftMs(): number {
    return this.#atMs - this.#clock.monotonic()
  }
}
