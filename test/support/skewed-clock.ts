import type { Clock } from '@scalekit-scim/core'

/** Creates a clock that is ahead by `skewMs`, like the clock of another machine. */
export function skewedClock(skewMs: number): Clock {
  return {
    now: () => Date.now() + skewMs,
    monotonic: () => performance.now() + skewMs,
    setTimeout: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs).unref()
      return { cancel: () => clearTimeout(timer) }
    },
  }
}
