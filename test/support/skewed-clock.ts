import type { Clock } from '@scalekit-scim/core'

/** A clock that is ahead by `skewMs`, as that of another machine may be. */
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
