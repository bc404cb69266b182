import { replyTo } from '../../packages/core/src/receive/reply.ts'
import type { Circumstances } from './cause-finder.ts'
import type { Findings } from './findings.ts'
import { isOlder, isSameTurn } from './messages.ts'
import type { Attempt, Run } from './record.ts'

/** A loop that is not paused answers this much after the deadline, at the latest. */
const replyLagMs = 200

/** Each attempt is answered by its deadline, if its process runs. */
export function repliesByDeadline({ plan, record }: Circumstances, endMs: number, findings: Findings): void {
  for (const { message, process, arrivedMs, repliedMs, isDispatch } of record.attempts) {
    const latestMs = arrivedMs + plan.options.deadlineSeconds * 1000 + replyLagMs
    if (isDispatch || repliedMs <= latestMs || latestMs > endMs) continue
    if (process.diedMs <= latestMs || process.wasPausedBetween(arrivedMs, latestMs)) continue
    findings.violate('reply by the deadline', latestMs, `${message.id} on ${process.name} has no reply`)
  }
}

/** Each reply is the row of the table for its outcome, and only outcomes that the history can cause occur. */
export function repliesFromTable({ plan, record }: Circumstances, _: number, findings: Findings): void {
  for (const { message, outcome, status, body, repliedMs } of record.attempts) {
    if (outcome === undefined) continue
    const isExpected =
      outcome === 'unhandled'
        ? message.resource === undefined && !plan.application.handlesAll
        : !impossible.has(outcome)
    if (!isExpected) findings.violate('reply from the table', repliedMs, `${message.id}: ${outcome}`)
    const row = replyTo(outcome)
    if (status !== undefined && (status !== row.status || body !== row.body)) {
      findings.violate('reply from the table', repliedMs, `${message.id}: ${outcome} is answered ${status}`)
    }
  }
}

const impossible: ReadonlySet<string> = new Set([
  'invalid-signature',
  'invalid-payload',
  'body-aborted',
  'body-consumed',
  'too-large',
  'content-encoding',
  'method',
  'internal',
])

/** A reply of 2xx comes after the effect: a handler of the message, or of a newer event, has completed. */
export function effectBeforeReply({ record }: Circumstances, _: number, findings: Findings): void {
  for (const attempt of record.attempts) {
    const { message, outcome, repliedMs } = attempt
    const hasEffect = effects[outcome ?? '']
    if (!hasEffect) continue
    const isDone = record.runs.some(
      (run) => hasCompleted(run) && run.endedMs <= repliedMs && hasEffect(run, attempt),
    )
    if (!isDone) findings.violate('effect before 2xx', repliedMs, `${message.id}: ${outcome}`)
  }
}

const isOfMessage = (run: Run, { message }: Attempt) =>
  run.message === message && (run.end === 'dropped' || run.wroteMs !== undefined)

const effects: Readonly<Record<string, (run: Run, attempt: Attempt) => boolean>> = {
  processed: isOfMessage,
  dropped: isOfMessage,
  duplicate: isOfMessage,
  stale: (run, { message }) => run.message.resource === message.resource && isOlder(message, run.message),
}

/** The time between two handlers of a resource, in addition to two slow calls of the store. */
const betweenRunsMs = 1000

/**
 * Without faults, an attempt gets in-flight or busy only while a handler of the message, or of its resource, runs. With
 * faults, a claim that nobody uses can remain until its lease ends.
 */
export function refusedForReason({ plan, record }: Circumstances, _: number, findings: Findings): void {
  if (plan.profile !== 'calm' || plan.kind === 'shared-keyv') return
  const latestMs = betweenRunsMs + 2000 * plan.options.storeTimeoutSeconds
  for (const { message, process, outcome, repliedMs } of record.attempts) {
    if (outcome !== 'in-flight' && outcome !== 'busy') continue
    const isRunning = record.runs.some(
      (run) =>
        isSameTurn(run.message, message) && run.startedMs <= repliedMs && run.endedMs >= repliedMs - latestMs,
    )
    if (isRunning) continue
    findings.violate('refused for a reason', repliedMs, `${message.id} on ${process.name}: ${outcome}`)
  }
}

export function hasCompleted({ end }: Run): boolean {
  return end === 'completed' || end === 'dropped'
}
