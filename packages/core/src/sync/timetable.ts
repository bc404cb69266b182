import { type Clock, ConfigurationError } from '@scalekit-scim/core'
import { numberOption, requireKnownNames } from '@scalekit-scim/core/internal'
import { Cron } from 'croner'
import type { Schedule } from './options.ts'

/** When the next pass is due. */
export interface Timetable {
  runAtStart: boolean
  /** Called at the start; what it gives is called once for each pass. */
  begin(): () => DueInMs | undefined
}

/** To be asked again and again. */
export type DueInMs = () => number

const names = ['everySeconds', 'cron', 'timezone', 'jitterSeconds', 'runAtStart']
const longestSeconds = 31 * 86_400
const cronJitterSeconds = 30

/** @throws ConfigurationError for a schedule that is none */
export function timetableOf(schedule: Schedule | undefined, clock: Clock): Timetable | undefined {
  if (schedule === undefined) return undefined
  requireKnownNames(schedule, names, 'schedule')
  const { everySeconds, cron, jitterSeconds, runAtStart = true } = schedule
  if ((everySeconds === undefined) === (cron === undefined)) {
    throw invalid('must have either `everySeconds` or `cron`')
  }
  if (typeof runAtStart !== 'boolean') throw invalid('has a `runAtStart` that is neither true nor false')
  const jitterDefault = everySeconds === undefined ? cronJitterSeconds : Number(everySeconds) / 10
  const jitterRule = { default: jitterDefault, min: 0, max: longestSeconds }
  const jitterMs = () =>
    Math.random() * numberOption('schedule.jitterSeconds', jitterSeconds, jitterRule) * 1000
  jitterMs()
  const begin =
    cron === undefined ? interval(everySeconds, clock, jitterMs) : byCron(schedule, clock, jitterMs)
  return { runAtStart, begin }
}

/** On the clock that never jumps. Times that a long pass has outlasted are left out. */
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

/** On the wall clock, which may be set meanwhile. */
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
  if (typeof cron !== 'string') throw invalid('has a `cron` that is no text')
  if (timezone !== undefined && typeof timezone !== 'string')
    throw invalid('has a `timezone` that is no text')
  try {
    const pattern = new Cron(cron, { paused: true, ...(timezone === undefined ? {} : { timezone }) })
    // A time zone is looked at only now.
    pattern.nextRun()
    return pattern
  } catch {
    throw invalid(
      "has a `cron` that is no cron expression ('0 3 * * *', say), or a `timezone` that does not exist",
    )
  }
}

function invalid(problem: string): ConfigurationError {
  return new ConfigurationError('ERR_SCIM_INVALID_OPTION', `\`schedule\` ${problem}.`, 'schedule')
}
