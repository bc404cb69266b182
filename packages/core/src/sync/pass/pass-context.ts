import { callBack, type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import type { SyncConfiguration } from '../configure.ts'
import { sharedIdFinder } from '../deletions/foreign.ts'
import type { RunOptions } from '../options.ts'
import type { DirectoryRef } from '../reading/records.ts'
import type { Retrying } from '../reading/retrying.ts'
import { retryStore, Slots } from '../waiting.ts'
import { Clocks } from './clocks.ts'
import type { PassLease } from './pass-lease.ts'

export interface PassRequest extends RunOptions {
  /** Ends the pass early. Aborts together with the caller's signal, and on `stop()`. */
  signal: AbortSignal
  /** When the pass stops waiting for running events, this signal aborts. Always aborts after `signal`. */
  graceOver: AbortSignal
  /** Returns the store's time of the first pass since the start. Full passes before that time do not count. */
  firstPassAt(now: Instant): Instant
}

/** The shared parts of a pass over several directories. */
export type PassContext = Awaited<ReturnType<typeof openPass>>

export async function openPass(config: SyncConfiguration, request: PassRequest, lease: PassLease) {
  const { mode = 'auto', dryRun = false, approve, graceOver } = request
  const { clock, dispatcher } = config
  const closed = new AbortController()
  const signal = AbortSignal.any([request.signal, lease.lost, closed.signal])
  const callStore = <Answer>(call: () => Promise<Answer>) => retryStore(clock, call, signal)
  const storeTime = () => callStore(async () => dispatcher.ledger.now())
  const checkLease = () => {
    if (!signal.aborted) lease.check()
  }
  const clocks = new Clocks(storeTime)
  const now = await clocks.readStore(clock)
  const [firstPassAt, fullDueAt] = [request.firstPassAt(now), plusSeconds(now, -config.fullEverySeconds)]
  const directories: DirectoryRef[] = []
  const progress = { organizations: 0, directories: 0, directoriesDone: 0, seen: 0, totalSize: 0 }
  return {
    config,
    dryRun,
    mode,
    /** If a caller cancels the pass, the pass loses its lease, or the dispatcher is closed, this signal aborts. */
    signal,
    /** When the pass stops waiting for running events, this signal aborts. Always aborts after `signal`. */
    graceOver,
    /** If another pass may have the lease, aborts `signal`. */
    checkLease,
    /** Throws the signal's reason if the pass may not apply further events. */
    requireRunning: () => {
      checkLease()
      signal.throwIfAborted()
    },
    /** Aborts `signal`, because the dispatcher is closed. */
    endForClosedDispatcher: () =>
      closed.abort(new DOMException('scalekit-scim: the dispatcher was closed', 'AbortError')),
    /** Limits the concurrent events of all directories. */
    slots: new Slots(config.eventsAtOnce),
    /** Calls the store up to four times, until `signal` aborts. */
    callStore,
    /** Returns the store's time. If the pass reads a record after this call, the record is at least as new as this time. */
    storeTime,
    /** Returns the options for calls of the Directory API. The report counts the retries. */
    apiCalls: (report: { retries: number }): Retrying => ({ signal, clock, onRetry: () => report.retries++ }),
    approvals: new Set(approve),
    /** The approvals that matched held deletions. */
    approvalsUsed: new Set<string>(),
    /** A directory without a full pass since this time needs a full pass. */
    fullSince: firstPassAt > fullDueAt ? firstPassAt : fullDueAt,
    clocks,
    /** All directories of the pass. The list is empty until the discovery has ended. */
    directories,
    findSharedIds: sharedIdFinder(directories, { signal, clock }),
    progress,
    reportProgress: () => callBack(request.onProgress, { ...progress }),
  }
}
