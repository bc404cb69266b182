import type { KnownRecord } from '@scalekit-scim/core/sync'
import { completeLimits, LimitsWatch } from '../../support/deletion-histories/limits-watch.ts'
import type { SyncPlan } from './plan.ts'

/** The unapproved deletions of each directory and kind, and the limits for them. */
export class DeletionLimits {
  readonly #plan: SyncPlan
  readonly #watches = new Map<string, LimitsWatch>()

  constructor(plan: SyncPlan) {
    this.#plan = plan
  }

  /** `known` has yielded all its records for a directory. */
  read(scope: string, directoryId: string, startedMs: number, records: readonly KnownRecord[]): void {
    const own = records.filter((record) => record.directoryId == null || record.directoryId === directoryId)
    this.#watch(scope).known(startedMs, 0, own.length)
  }

  /** @returns the limit that the deletion exceeds, if any */
  deleted(scope: string, id: string, startedMs: number, isApproved: boolean): string | undefined {
    return this.#watch(scope).deleted(id, startedMs, isApproved)
  }

  #watch(scope: string): LimitsWatch {
    const watch = this.#watches.get(scope) ?? new LimitsWatch(completeLimits(this.#plan.sync.deletions))
    this.#watches.set(scope, watch)
    return watch
  }
}
