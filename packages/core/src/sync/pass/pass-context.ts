import type { Instant } from '@scalekit-scim/core/internal'
import type { PassControl } from '../applying/event-batch.ts'
import type { SharedIdFinder } from '../deletions/shared-ids.ts'
import type { SyncProgress } from '../options.ts'
import type { Retrying } from '../reading/retrying.ts'
import { retryStore } from '../waiting.ts'
import type { Clocks } from './clocks.ts'

/** The shared parts of a pass over several directories. */
export interface PassContext extends PassControl {
  mode: 'auto' | 'full' | 'incremental'
  approvals: ReadonlySet<string>
  /** The approvals that matched held deletions. */
  approvalsUsed: Set<string>
  /** A directory without a full pass since this time needs one. */
  fullSince: Instant
  clocks: Clocks
  sharedIds: SharedIdFinder
  progress: SyncProgress
  reportProgress(): void
}

/** Returns the store's time. Records that are read after this call are at least as new as this time. */
export function storeTime({ config, signal }: Pick<PassContext, 'config' | 'signal'>): Promise<Instant> {
  return retryStore(config.clock, async () => config.dispatcher.ledger.now(), signal)
}

/** @throws if the pass must not apply further events */
export function requireRunning({ checkLease, signal }: PassContext): void {
  checkLease()
  signal.throwIfAborted()
}

/** How a pass calls the Directory API. */
export function apiCalls(pass: PassContext, onRetry: () => unknown): Retrying {
  return { signal: pass.signal, clock: pass.config.clock, onRetry }
}
