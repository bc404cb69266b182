import type { Circumstances } from './cause-finder.ts'
import type { Findings } from './findings.ts'
import { type Fleet, leftIn } from './fleet.ts'
import { isSameTurn } from './messages.ts'
import type { Attempt } from './record.ts'
import type { SimulatedStore } from './stores/simulated-store.ts'

/** The retries of a commit, the latency of the store, and the turns of the events that wait. */
const reserveMs = 6000
/** A Keyv's next call for a key waits this long for a write that was not answered. */
const lateWriteMs = 30_000

/**
 * When the faults have ended, each attempt succeeds after a limited time. A claim whose answer was late costs at most
 * one lease. A handler that still runs costs its own time, and at most `handlerTimeoutSeconds` and one lease.
 */
export function nothingStuck(circumstances: Circumstances, quietMs: number, findings: Findings): void {
  for (const attempt of circumstances.record.attempts) {
    const { message, process, arrivedMs, status, outcome, isDispatch } = attempt
    if (isDispatch || status === 200 || status === 201) continue
    if (arrivedMs < settledMs(circumstances, quietMs, attempt)) continue
    const isRace = circumstances.plan.kind === 'shared-keyv' && isRaced(circumstances, attempt)
    findings.explain('not stuck', isRace ? 'best effort' : undefined, arrivedMs, () => {
      return `${message.id} on ${process.name}: ${outcome ?? 'no reply'}, and the faults ended at ${Math.round(quietMs)} ms`
    })
  }
}

/** The time from which an attempt must succeed. */
function settledMs({ plan, record }: Circumstances, quietMs: number, { message }: Attempt): number {
  const { leaseSeconds, handlerTimeoutSeconds } = plan.options
  const leaseMs = leaseSeconds * 1000
  const lateMs = plan.faults.map((fault) => (fault.what === 'flaky' ? fault.network.lateAtMostMs : 0))
  const isKeyv = plan.kind === 'keyv' || plan.kind === 'shared-keyv'
  // The processes' own clocks decide the leases of a Keyv.
  const clocksMs = plan.faults.map((fault) => (fault.what === 'set-clock' ? Math.abs(fault.byMs) : 0))
  const skewMs = Math.max(...plan.clockOffsetsMs.processes) - Math.min(...plan.clockOffsetsMs.processes)
  const keyvMs = isKeyv ? lateWriteMs + Math.max(0, ...clocksMs) + skewMs : 0
  const lastEffectMs = quietMs + Math.max(plan.network.lateAtMostMs, ...lateMs) + keyvMs
  const runEnds = record.runs
    .filter((run) => run.startedMs <= quietMs)
    .filter((run) => isSameTurn(run.message, message))
    .map((run) => Math.min(run.endedMs, run.startedMs + handlerTimeoutSeconds * 1000 + keyvMs))
  return Math.max(lastEffectMs, ...runEnds) + leaseMs + reserveMs
}

/** Whether another process ran an event of the resource at the same time. */
function isRaced({ record }: Circumstances, { message, process, arrivedMs, repliedMs }: Attempt): boolean {
  return record.attempts.some(
    (other) =>
      other.process !== process &&
      isSameTurn(other.message, message) &&
      other.arrivedMs <= repliedMs &&
      other.repliedMs >= arrivedMs,
  )
}

/** At the end, no process keeps anything of an event, and the store has no claim. */
export function noLeaks(fleet: Fleet, store: SimulatedStore, endMs: number, findings: Findings): void {
  for (const instance of fleet.all) {
    if (!instance.process.isAlive) continue
    const left = leftIn(instance)
    if (left.length > 0)
      findings.violate('no leaks', endMs, `${instance.process.name} keeps ${left.join(', ')}`)
  }
  const claimed = store.claimed()
  if (claimed.length > 0) findings.violate('no leaks', endMs, `the store keeps claims: ${claimed.join(', ')}`)
}
