import type { Clock } from '../base/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time forward. Fires the due timers, earliest first. After each timer, waits for pending promises. */
  advance(ms: number): Promise<void>
  /** Moves only the wall clock, as NTP does. Timers and leases do not change. */
  jump(ms: number): void
}

/** Creates a clock that moves only when you call `advance` or `jump`. @default from 2026-11-23T09:00:00Z */
export function createFakeClock(from: Date = new Date('2026-11-23T09:00:00Z')): FakeClock {
  let elapsedMs = 0
  let jumpedMs = 0
  const timers = new Set<{ atMs: number; callback: () => void }>()

  const nextBefore = (limitMs: number) =>
    [...timers].filter((timer) => timer.atMs <= limitMs).sort((a, b) => a.atMs - b.atMs)[0]
  /** Waits for all pending promises, and for the promises that they start. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

  return {
    now: () => from.getTime() + elapsedMs + jumpedMs,
    monotonic: () => elapsedMs,
    setTimeout(callback, delayMs) {
      const timer = { atMs: elapsedMs + Math.max(delayMs, 0), callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async advance(ms) {
      const limitMs = elapsedMs + ms
      await settle()
      for (let timer = nextBefore(limitMs); timer; timer = nextBefore(limitMs)) {
        timers.delete(timer)
        elapsedMs = timer.atMs
        timer.callback()
        await settle()
      }
      elapsedMs = limitMs
      await settle()
    },
    jump(ms) {
      jumpedMs += ms
    },
  }
}
