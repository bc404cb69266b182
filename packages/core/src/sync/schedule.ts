import type { Clock, Logger } from '@scalekit-scim/core'
import type { Timetable } from './timetable.ts'
import { keepAlive, pause } from './waiting.ts'

interface Scheduled {
  timetable: Timetable
  clock: Clock
  log: Logger
  /** One pass; never rejects. */
  run(): Promise<void>
}

/** The longest that is waited at once, since the wall clock may be set, and a timer has its limits. */
const longestWaitMs = 3_600_000

/**
 * Runs passes by the timetable, each after the one before has ended, until the signal aborts. Keeps the process alive
 * meanwhile: a worker has nothing else to live for.
 */
export async function runByTimetable(
  { timetable, clock, log, run }: Scheduled,
  signal: AbortSignal,
): Promise<void> {
  const rest = keepAlive()
  try {
    const next = timetable.begin()
    if (timetable.runAtStart) await run()
    while (!signal.aborted) {
      const dueInMs = next()
      if (!dueInMs) return log.warn({}, "the sync's schedule has no further time: no more passes begin")
      for (let leftMs = dueInMs(); leftMs > 0 && !signal.aborted; leftMs = dueInMs()) {
        await pause(clock, Math.min(leftMs, longestWaitMs), signal)
      }
      if (!signal.aborted) await run()
    }
  } finally {
    rest()
  }
}
