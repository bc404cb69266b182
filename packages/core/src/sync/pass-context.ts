import type { Instant } from '@scalekit-scim/core/internal'
import type { Application } from './applying.ts'
import type { Clocks } from './clocks.ts'
import type { SyncConfiguration } from './configure.ts'
import type { Neighbours } from './deletions/neighbours.ts'
import type { SyncProgress } from './options.ts'
import type { Retrying } from './retrying.ts'
import { patiently } from './waiting.ts'

/** What all directories of a pass share. */
export interface PassContext {
  config: SyncConfiguration
  mode: 'auto' | 'full' | 'incremental'
  dryRun: boolean
  approvals: ReadonlySet<string>
  /** Those by which something was applied, or in a dry run would have been. */
  approvalsUsed: Set<string>
  /** A full pass that began before is too long ago. */
  fullSince: Instant
  application: Application
  /** Aborts when the pass is to end: cancelled, its lease lost, or the dispatcher closed. */
  signal: AbortSignal
  /** Aborts, after `signal`, when the events that have begun are waited for no longer. */
  graceOver: AbortSignal
  /** @throws where nothing may be applied any more */
  mayGoOn(): void
  clocks: Clocks
  neighbours: Neighbours
  progress: SyncProgress
  /** Tells whoever watches. */
  progressed(): void
}

/** The store's time: what is read from here on is as of then, or newer. */
export function storeTime({ config, signal }: Pick<PassContext, 'config' | 'signal'>): Promise<Instant> {
  return patiently(config.clock, async () => config.dispatcher.ledger.now(), signal)
}

/** How the Directory API is called within a pass. */
export function apiCalls(pass: PassContext, onRetry: () => void): Retrying {
  return { signal: pass.signal, clock: pass.config.clock, onRetry }
}
