import type { Clock, Logger } from '@scalekit-scim/core'
import {
  delay,
  inBackground,
  invalid,
  numberOption,
  omitUndefined,
  requireKnownNames,
} from '@scalekit-scim/core/internal'
import { Cron } from 'croner'
import type { Schedule } from '../options.ts'
import { keepAlive } from '../waiting.ts'

/** The times at which passes begin. */
export interface Timetable {
  runAtStart: boolean
  /** Called once at the start. The returned function is called once for each pass. */
  begin(): () => DueInMs | undefined
}

/** Returns the milliseconds until the pass. Called repeatedly, because the wall clock may be changed. */
export type DueInMs = () => number

interface Scheduled {
  timetable: Timetable
  clock: Clock
  log: Logger
  /** Runs one pass. Does not reject. */
  run(): Promise<void>
}

const names = ['everySeconds', 'cron', 'timezone', 'jitterSeconds', 'runAtStart']
const longestSeconds = 31 * 86_400
const cronJitterSeconds = 30
/** Longer waits are split, because the wall clock may be changed meanwhile, and timers have a maximum duration. */
const longestWaitMs = 3_600_000

/** @throws ConfigurationError if the schedule is invalid */
export function timetableOf(schedule: Schedule | undefined, clock: Clock): Timetable | undefined {
  if (schedule === undefined) return undefined
  requireKnownNames(schedule, names, 'schedule')
  const { everySeconds, cron, jitterSeconds, runAtStart = true } = schedule
  if ((everySeconds === undefined) === (cron === undefined)) {
    throw invalid('schedule', 'must have either `everySeconds` or `cron`')
  }
  if (typeof runAtStart !== 'boolean') throw invalid('schedule', 'must have true or false as `runAtStart`')
  const jitterDefault = everySeconds === undefined ? cronJitterSeconds : Number(everySeconds) / 10
  const jitterRule = { default: jitterDefault, min: 0, max: longestSeconds }
  const maxJitterMs = numberOption('schedule.jitterSeconds', jitterSeconds, jitterRule) * 1000
  const jitterMs = () => Math.random() * maxJitterMs
  const begin =
    cron === undefined ? interval(everySeconds, clock, jitterMs) : byCron(schedule, clock, jitterMs)
  return { runAtStart, begin }
}

/**
 * Times at a fixed interval, by the monotonic clock. If a pass is longer than the interval, the times during the pass
 * are skipped.
 */
function interval(everySeconds: unknown, clock: Clock, jitterMs: () => number): Timetable['begin'] {
  const rule = { default: Number.NaN, min: 1, max: longestSeconds }
  const everyMs = numberOption('schedule.everySeconds', everySeconds, rule) * 1000
  return () => {
    const originMs = clock.monotonic()
    return () => {
      const past = Math.floor((clock.monotonic() - originMs) / everyMs)
      const dueMs = originMs + (past + 1) * everyMs + jitterMs()
      return () => dueMs - clock.monotonic()
    }
  }
}

/** Times of a cron expression, by the wall clock. The wall clock may be changed meanwhile. */
function byCron({ cron, timezone }: Schedule, clock: Clock, jitterMs: () => number): Timetable['begin'] {
  const pattern = parse(cron, timezone)
  return () => () => {
    const date = pattern.nextRun(new Date(clock.now()))
    if (!date) return undefined
    const dueMs = date.getTime() + jitterMs()
    return () => dueMs - clock.now()
  }
}

function parse(cron: unknown, timezone: unknown): Cron {
  if (typeof cron !== 'string') throw invalid('schedule', 'must have text as `cron`')
  if (timezone !== undefined && typeof timezone !== 'string') {
    throw invalid('schedule', 'must have text as `timezone`')
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
 * Runs passes by the timetable until the signal aborts. Each pass begins after the previous one has ended. Keeps the
 * process running meanwhile, because a worker may have nothing else to do.
 */
export async function runByTimetable(
  { timetable, clock, log, run }: Scheduled,
  signal: AbortSignal,
): Promise<void> {
  const letExit = keepAlive()
  try {
    const next = timetable.begin()
    if (timetable.runAtStart) await run()
    while (!signal.aborted) {
      const dueInMs = next()
      if (!dueInMs) return log.warn({}, "the sync's schedule has no further time, so no more passes begin")
      for (let leftMs = dueInMs(); leftMs > 0 && !signal.aborted; leftMs = dueInMs()) {
        await delay(clock, Math.min(leftMs, longestWaitMs), signal, inBackground)
      }
      if (!signal.aborted) await run()
    }
  } finally {
    letExit()
  }
}
