import { CauseFinder, type Circumstances } from './cause-finder.ts'
import type { Database } from './database.ts'
import type { DocumentedCause } from './documented-causes.ts'
import type { Findings } from './findings.ts'
import { isOlder, isSameTurn } from './messages.ts'
import type { Run } from './record.ts'
import { hasCompleted } from './reply-invariants.ts'

/** The handlers of one resource run one at a time. */
export function oneAtATime(circumstances: Circumstances, _: number, findings: Findings): void {
  const causes = new CauseFinder(circumstances)
  for (const [earlier, later] of pairsOf(circumstances.record.runs)) {
    if (!isSameTurn(earlier.message, later.message) || later.startedMs >= earlier.endedMs) continue
    const cause = causes.ofOverlap(earlier, later)
    findings.explain('one at a time', cause, later.startedMs, () => shown(earlier, later))
  }
}

/** When a handler has completed, no handler of the same message begins, and none of an older event. */
export function completedOnce(circumstances: Circumstances, _: number, findings: Findings): void {
  const causes = new CauseFinder(circumstances)
  for (const [earlier, later] of pairsOf(circumstances.record.runs)) {
    if (later.startedMs < earlier.endedMs) continue
    const isSame = earlier.message === later.message
    if (hasCompleted(earlier)) {
      const isOld = isSameTurn(earlier.message, later.message) && isOlder(later.message, earlier.message)
      if (!isSame && !isOld) continue
      const cause = causes.ofRepeat(earlier, later)
      findings.explain(isSame ? 'once' : 'no older event', cause, later.startedMs, () =>
        shown(earlier, later),
      )
    } else if (isSame && earlier.wroteMs !== undefined) {
      const cause = causes.ofSecondWrite(earlier)
      findings.explain('one write', cause, later.startedMs, () => shown(earlier, later))
    }
  }
}

/** Each row ends with the newest acknowledged event. With the database guard, this needs no exception. */
export function newestWins(
  circumstances: Circumstances,
  endMs: number,
  findings: Findings,
  { rows }: Database,
): void {
  const { plan, record } = circumstances
  const causes = new CauseFinder(circumstances)
  const acknowledged = new Set(
    record.attempts
      .filter(({ outcome }) => outcome === 'processed' || outcome === 'duplicate')
      .map(({ message }) => message),
  )
  for (const [resource, last] of rows) {
    const completed = record.runs.filter(
      ({ message, end }) => message.resource === resource && end === 'completed' && acknowledged.has(message),
    )
    const newer = completed.filter(({ message }) => isOlder(last.message, message)).at(-1)
    if (!newer) continue
    const cause = plan.isGuarded ? undefined : causeOfOldRow(causes, newer, last)
    findings.explain('newest wins', cause, endMs, () => `${resource} is ${shown(newer, last)}`)
  }
}

/** Why an older event wrote the row after a newer event. */
function causeOfOldRow(causes: CauseFinder, newer: Run, last: Run): DocumentedCause | undefined {
  if (last.startedMs >= newer.endedMs) return causes.ofRepeat(newer, last)
  if (last.startedMs >= newer.startedMs) return causes.ofOverlap(newer, last)
  if (last.endedMs > newer.startedMs) return causes.ofOverlap(last, newer)
  // The handler had ended, and its write was still on its way.
  return causes.ofLateWrite(last)
}

/** Runs are recorded in the order of their start. */
function* pairsOf(runs: readonly Run[]): Generator<[earlier: Run, later: Run]> {
  for (const [index, later] of runs.entries()) {
    for (const earlier of runs.slice(0, index)) yield [earlier, later]
  }
}

function shown(...runs: Run[]): string {
  return runs
    .map(
      ({ message, number, process, startedMs, endedMs, end }) =>
        `${message.id} run ${number} on ${process.name} (${Math.round(startedMs)}–${Math.round(endedMs)} ms, ${end})`,
    )
    .join(', then ')
}
