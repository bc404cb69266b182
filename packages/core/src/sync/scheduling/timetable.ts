import type { Clock, Logger } from '@scalekit-scim/core'
import {
  delay,
  invalid,
  numberOption,
  omitUndefined,
  randomnessOf,
  requireKnownNames,
} from '@scalekit-scim/core/internal'
import { Cron } from 'croner'
import type { Schedule } from '../options.ts'

/** The times at which passes begin, in milliseconds of a clock. */
export interface Timetable {
  runAtStart: boolean
  /** The present time of the clock. The wall clock can change by a large step between two calls. */
  nowMs(): number
  /** Returns the time of the next pass, or `undefined` after the last pass. */
  nextMs(startedMs: number): number | undefined
}

const names = ['everySeconds', 'cron', 'timezone', 'jitterSeconds', 'runAtStart']
const longestSeconds = 31 * 86_400
const cronJitterSeconds = 30
/**
 * The maximum duration of one timer. Longer waits use several timers, because the wall clock can jump during a wait.
 */
const longestWaitMs = 3_600_000

/** @throws ConfigurationError if the schedule is invalid */
export function timetableOf(schedule: Schedule | undefined, clock: Clock): Timetable | undefined {
  if (schedule === undefined) return undefined
  requireKnownNames(schedule, names, 'schedule')
  const { everySeconds, cron, jitterSeconds, runAtStart = true } = schedule
  if ((everySeconds === undefined) === (cron === undefined)) {
    throw invalid('schedule', 'must have either `everySeconds` or `cron`')
  }
  if (typeof runAtStart !== 'boolean') throw invalid('schedule', 'must have a `runAtStart` of true or false')
  const jitterDefault = everySeconds === undefined ? cronJitterSeconds : Number(everySeconds) / 10
  const jitterRule = { default: jitterDefault, min: 0, max: longestSeconds }
  const maxJitterMs = numberOption('schedule.jitterSeconds', jitterSeconds, jitterRule) * 1000
  const jittered = (ms: number) => ms + randomnessOf(clock).fraction() * maxJitterMs
  if (cron !== undefined) {
    const pattern = parse(cron, schedule.timezone)
    const nextMs = () => {
      const date = pattern.nextRun(new Date(clock.now()))
      return date ? jittered(date.getTime()) : undefined
    }
    return { runAtStart, nowMs: () => clock.now(), nextMs }
  }
  const rule = { default: Number.NaN, min: 1, max: longestSeconds }
  const everyMs = numberOption('schedule.everySeconds', everySeconds, rule) * 1000
  // If a pass takes longer than the interval, the sync skips the times during the pass.
  const nextMs = (startedMs: number) => {
    const past = Math.floor((clock.monotonic() - startedMs) / everyMs)
    return jittered(startedMs + (past + 1) * everyMs)
  }
  return { runAtStart, nowMs: () => clock.monotonic(), nextMs }
}

function parse(cron: unknown, timezone: unknown): Cron {
  if (typeof cron !== 'string') throw invalid('schedule', 'must have a string as `cron`')
  if (timezone !== undefined && typeof timezone !== 'string') {
    throw invalid('schedule', 'must have a string as `timezone`')
  }
  try {
    const pattern = new Cron(cron, { paused: true, ...omitUndefined({ timezone }) })
    // Throws for an unknown time zone.
    pattern.nextRun()
    return pattern
  } catch {
    throw invalid(
      'schedule',
      "must have a cron expression such as '0 3 * * *' as `cron`, and an existing time zone as `timezone`",
    )
  }
}

/**
 * Runs passes at the times of the timetable until the signal aborts. Each pass begins after the previous pass has
 * ended.
 * @param run runs one pass, and never rejects
 */
export async function runByTimetable(
  { runAtStart, nowMs, nextMs }: Timetable,
  { clock, log }: { clock: Clock; log: Logger },
  run: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = nowMs()
  if (runAtStart) await run()
  while (!signal.aborted) {
    const dueMs = nextMs(startedMs)
    if (dueMs === undefined) {
      return log.warn({}, "the sync's schedule has no further time, so no more passes begin")
    }
    for (let leftMs = dueMs - nowMs(); leftMs > 0 && !signal.aborted; leftMs = dueMs - nowMs()) {
      await delay(clock, Math.min(leftMs, longestWaitMs), signal)
    }
    if (!signal.aborted) await run()
  }
}
