import type { DocumentedCause } from './documented-causes.ts'
import { isSameTurn, type Message } from './messages.ts'
import type { Plan } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import type { HistoryRecord, Run } from './record.ts'
import type { Server } from './stores/server.ts'

/** A signal aborts by timers, which can be late. Until then, the handlers of two processes can overlap. */
const timerLagMs = 100

/** A call that its caller has given up can take effect this much later. */
const latestEffectMs = 31_000

/** The history in which a cause is looked for. */
export interface Circumstances {
  plan: Plan
  record: HistoryRecord
  server: Server
}

/** Finds the documented cause for which a guarantee did not hold for two runs. Each cause applies to these two runs. */
export class CauseFinder {
  readonly #circumstances: Circumstances
  readonly #leaseMs: number

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
    this.#leaseMs = circumstances.plan.options.leaseSeconds * 1000
  }

  /** Why a later run of the resource began while an earlier one ran. */
  ofOverlap(earlier: Run, later: Run): DocumentedCause | undefined {
    const atMs = later.startedMs
    if (earlier.abortedMs <= atMs + timerLagMs) return this.ofAbort(earlier)
    if (earlier.process.wasPausedBetween(atMs - timerLagMs, atMs)) return 'stalled'
    return this.#ofMissingClaim(earlier, later, atMs - this.#leaseMs)
  }

  /** Why a run began although an event that is newer, or the same, had completed before. */
  ofRepeat(earlier: Run, later: Run): DocumentedCause | undefined {
    const { recorded } = this.#circumstances.record
    const isOfEarlier = ({ messageId, atMs }: { messageId: string; atMs: number }) =>
      messageId === earlier.message.id && atMs >= earlier.startedMs && atMs <= later.startedMs
    const record = recorded.find(isOfEarlier)
    return record
      ? this.#ofForgottenRecord(earlier, later, record.atMs)
      : this.#ofMissingRecord(earlier, later)
  }

  /** Why a message that the store had recorded as done was no longer known. */
  #ofForgottenRecord(earlier: Run, later: Run, recordedMs: number): DocumentedCause | undefined {
    const { plan, server } = this.#circumstances
    // The later run may have begun with a claim from before the record, which the store had lost.
    const claimedMs = this.#arrivalOf(later)
    const isLost = server.losses.some(
      ({ atMs, sinceMs }) =>
        atMs <= later.startedMs && (atMs >= claimedMs || (atMs >= recordedMs && sinceMs <= recordedMs)),
    )
    if (isLost) return 'store loss'
    if (plan.kind === 'memory' && earlier.process.diedMs <= later.startedMs) return 'memory of a process'
    return this.#ofForgetOrBestEffort(earlier, later, Math.min(recordedMs, claimedMs))
  }

  /** The time at which the attempt arrived that began a run. The run's claim is not older. */
  #arrivalOf({ message, process, startedMs }: Run): number {
    const arrivals = this.#circumstances.record.attempts
      .filter((attempt) => attempt.message === message && attempt.process === process)
      .filter(({ arrivedMs, repliedMs }) => arrivedMs <= startedMs && repliedMs >= startedMs)
      .map(({ arrivedMs }) => arrivedMs)
    return Math.min(startedMs, ...arrivals)
  }

  /** Why the store had not recorded a message whose handler had completed. */
  #ofMissingRecord(earlier: Run, later: Run): DocumentedCause | undefined {
    const { process, endedMs } = earlier
    const atMs = later.startedMs
    const fromMs = endedMs - this.#leaseMs
    if (this.#isBestEffort(earlier, atMs)) return 'best effort'
    if (earlier.abortedMs <= atMs) return this.ofAbort(earlier)
    if (process.wasPausedBetween(fromMs, atMs)) return 'stalled'
    const isAway = this.#wasStoreAway(process, fromMs, Math.min(atMs, process.diedMs))
    const storeTimeoutMs = this.#circumstances.plan.options.storeTimeoutSeconds * 1000
    if (process.diedMs <= atMs && (isAway || process.diedMs <= endedMs + storeTimeoutMs))
      return endOf(process)
    if (isAway && process.closedMs <= atMs) return 'closed'
    if (isAway && this.#isShared(earlier, fromMs, atMs)) return 'store away'
    // The claim can be lost before its answer has arrived, and the handler begins.
    return this.#ofMissingClaim(earlier, later, earlier.startedMs - storeTimeoutMs)
  }

  /** Why a run that had failed or died had written before, so that its message was written twice. */
  ofSecondWrite(earlier: Run): DocumentedCause | undefined {
    if (earlier.abortedMs <= earlier.endedMs) return this.ofAbort(earlier)
    if (earlier.end === 'failed') return 'handler failed'
    return endOf(earlier.process)
  }

  /** Why the write of a run was carried out after the run had ended. */
  ofLateWrite(run: Run): DocumentedCause | undefined {
    return run.end === 'dead' ? endOf(run.process) : this.ofAbort(run)
  }

  /** Why the signal of a run aborted. */
  ofAbort(run: Run): DocumentedCause | undefined {
    const { abortedMs, abortReason, process } = run
    if (abortReason.includes('handlerTimeoutSeconds')) return 'handler timeout'
    if (abortReason.includes('closed')) return 'closed'
    if (this.#isBestEffort(run, abortedMs)) return 'best effort'
    const fromMs = abortedMs - 1.5 * this.#leaseMs
    if (process.wasPausedBetween(fromMs, abortedMs)) return 'stalled'
    if (this.#wasStoreAway(process, fromMs, abortedMs)) return 'store away'
    return this.#ofMissingClaim(run, { ...run, startedMs: abortedMs }, fromMs)
  }

  #ofMissingClaim(earlier: Run, later: Run, fromMs: number): DocumentedCause | undefined {
    const { losses } = this.#circumstances.server
    if (losses.some(({ atMs }) => atMs >= fromMs && atMs <= later.startedMs)) return 'store loss'
    return this.#ofForgetOrBestEffort(earlier, later, fromMs)
  }

  #ofForgetOrBestEffort(earlier: Run, later: Run, fromMs: number): DocumentedCause | undefined {
    const { record } = this.#circumstances
    const isSame = earlier.message === later.message
    const isForgotten = record.forgets.some(
      ({ message, forgets, atMs, endedMs }) =>
        atMs <= later.startedMs &&
        endedMs >= fromMs &&
        (forgets === 'message'
          ? message === earlier.message || message === later.message
          : message.resource === earlier.message.resource && (!isSame || atMs <= earlier.endedMs)),
    )
    if (isForgotten) return 'forgotten'
    return this.#isBestEffort(earlier, later.startedMs) ? 'best effort' : undefined
  }

  #isBestEffort(run: Run, atMs: number): boolean {
    if (this.#circumstances.plan.kind !== 'shared-keyv') return false
    return this.#isShared(run, run.startedMs - this.#leaseMs - latestEffectMs, atMs)
  }

  /** Whether another process had an attempt at an event of the resource, or a handler that still ran. */
  #isShared({ message, process }: Run, fromMs: number, toMs: number): boolean {
    const { attempts, runs } = this.#circumstances.record
    const isOther = (other: { message: Message; process: SimulatedProcess }) =>
      other.process !== process && isSameTurn(other.message, message)
    return (
      attempts.some(
        (attempt) => isOther(attempt) && attempt.arrivedMs <= toMs && attempt.repliedMs >= fromMs,
      ) || runs.some((run) => isOther(run) && run.startedMs <= toMs && run.endedMs >= fromMs)
    )
  }

  /** Whether the store did not answer a call of the process as usual. */
  #wasStoreAway(process: SimulatedProcess, fromMs: number, toMs: number): boolean {
    return this.#circumstances.server.troubledCalls.some(
      (call) => call.process === process && call.sentMs <= toMs && call.endedMs >= fromMs,
    )
  }
}

function endOf({ closedMs, diedMs }: SimulatedProcess): DocumentedCause {
  return closedMs <= diedMs ? 'closed' : 'crash'
}
