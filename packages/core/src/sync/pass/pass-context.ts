import { callBack, type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import { type PassControl, Slots } from '../applying/event-batch.ts'
import type { SyncConfiguration } from '../configure.ts'
import { sharedIdFinder } from '../deletions/foreign.ts'
import type { RunOptions } from '../options.ts'
import type { DirectoryRef } from '../reading/records.ts'
import type { Retrying } from '../reading/retrying.ts'
import { retryStore } from '../waiting.ts'
import { Clocks } from './clocks.ts'
import type { PassLease } from './pass-lease.ts'

export interface PassRequest extends RunOptions {
  /** Ends the pass early. Aborts together with the caller's signal, and on `stop()`. */
  signal: AbortSignal
  /** Aborts when the pass stops waiting for running events. Always aborts after `signal`. */
  graceOver: AbortSignal
  /** Returns the store's time of the first pass since the start. Full passes before that time do not count. */
  firstPassAt(now: Instant): Instant
}

/** The shared parts of a pass over several directories. */
export type PassContext = Awaited<ReturnType<typeof openPass>>

export async function openPass(config: SyncConfiguration, request: PassRequest, lease: PassLease) {
  const { mode = 'auto', dryRun = false, approve, graceOver } = request
  const closed = new AbortController()
  const signal = AbortSignal.any([request.signal, lease.lost, closed.signal])
  const control: PassControl = {
    config,
    dryRun,
    signal,
    graceOver,
    checkLease: () => {
      if (!signal.aborted) lease.check()
    },
    endForClosedDispatcher: () =>
      closed.abort(new DOMException('scalekit-scim: the dispatcher was closed', 'AbortError')),
    slots: new Slots(config.eventsAtOnce),
  }
  const clocks = new Clocks(() => storeTime(control))
  const now = await clocks.readStore(config.clock)
  const [firstPassAt, fullDueAt] = [request.firstPassAt(now), plusSeconds(now, -config.fullEverySeconds)]
  const directories: DirectoryRef[] = []
  const progress = { organizations: 0, directories: 0, directoriesDone: 0, seen: 0, totalSize: 0 }
  return {
    ...control,
    mode,
    approvals: new Set(approve),
    /** The approvals that matched held deletions. */
    approvalsUsed: new Set<string>(),
    /** If a directory had no full pass since this time, it needs one. */
    fullSince: firstPassAt > fullDueAt ? firstPassAt : fullDueAt,
    clocks,
    /** All directories of the pass. The list is empty until the discovery has ended. */
    directories,
    findSharedIds: sharedIdFinder(directories, { signal, clock: config.clock }),
    progress,
    reportProgress: () => callBack(request.onProgress, { ...progress }),
  }
}

/** Returns the store's time. If the pass reads a record after this call, the record is at least as new as this time. */
export function storeTime({ config, signal }: Pick<PassControl, 'config' | 'signal'>): Promise<Instant> {
  return retryStore(config.clock, async () => config.dispatcher.ledger.now(), signal)
}

/** @throws if the pass must not apply further events */
export function requireRunning({ checkLease, signal }: PassControl): void {
  checkLease()
  signal.throwIfAborted()
}

/** How a pass calls the Directory API. */
export function apiCalls({ signal, config }: PassControl, onRetry: () => unknown): Retrying {
  return { signal, clock: config.clock, onRetry }
}
