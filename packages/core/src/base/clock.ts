/** The time and the timers of a receiver; injected, so that tests need not wait. */
export interface Clock {
  /** The wall clock, in milliseconds since 1970. Decides on tolerance and on times in the future. */
  now(): number
  /** A clock that never jumps, in milliseconds from any origin. Decides on leases and deadlines. */
  monotonic(): number
  setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): Timer
}

export interface TimerOptions {
  /**
   * Whether the process is to live until then: for what somebody awaits. A deadline or a renewal in the background is no
   * reason to.
   * @default false
   */
  keepsAlive?: boolean
}

/** A timer that was set. */
export interface Timer {
  cancel(): void
}

/** The longest delay that Node's timers take; a longer one would fire at once. */
export const longestDelayMs = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback, delayMs, { keepsAlive = false } = {}) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), longestDelayMs))
    if (!keepsAlive) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

/** For what somebody awaits: a script that awaits it, and has nothing else, lives to see it. */
export const awaited: TimerOptions = { keepsAlive: true }

/** For what nobody awaits: a script that has done its own work may end. */
export const inBackground: TimerOptions = { keepsAlive: false }

/**
 * Resolves after `delayMs`, or at once when the signal aborts. A process lives as long, unless it is
 * `inBackground`.
 */
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

/** What `within` gives when the time is over. */
export const timedOut: unique symbol = Symbol('timed out')

/**
 * The promise's value, or `timedOut` when `delayMs` pass first. The promise itself goes on: a caller that
 * must know how it ended keeps hold of it. By itself the wait keeps no process alive.
 */
export function within<T>(
  clock: Clock,
  promise: Promise<T>,
  delayMs: number,
  options: TimerOptions = inBackground,
): Promise<T | typeof timedOut> {
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
