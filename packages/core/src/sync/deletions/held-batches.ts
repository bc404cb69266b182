import { createHash } from 'node:crypto'
import type { Instant } from '@scalekit-scim/core/internal'
import type { DirectoryRef, Kind } from '../reading/records.ts'
import type { StickyReason } from '../reporting/report.ts'
import { approvalDays, dayOf } from './deletion-state.ts'
import type { HeldBatch } from './state-format.ts'

/** The values that determine the approvals of deletions. */
export interface BatchScope {
  directory: DirectoryRef
  kind: Kind['name']
  now: Instant
}

/**
 * Creates a batch of held deletions. One approval applies to the whole batch. If this run has an approval for exactly
 * these ids, the approval applies immediately.
 */
export function newBatch(
  scope: BatchScope,
  reason: StickyReason,
  ids: readonly string[],
  approvals: ReadonlySet<string>,
): HeldBatch {
  const { directory, kind, now } = scope
  const sorted = [...ids].sort()
  const setOfIds = hexOf(sorted)
  const approvalOf = (day: number) => hexOf([directory.organizationId, directory.id, kind, day, setOfIds])
  const today = dayOf(now)
  // The approval can be up to 7 days old, from a dry run or an earlier process.
  const recent = Array.from({ length: approvalDays + 1 }, (_, days) => approvalOf(today - days))
  const given = recent.find((approval) => approvals.has(approval))
  return {
    approval: given ?? approvalOf(today),
    directoryId: directory.id,
    reason,
    heldAt: now,
    approvedAt: given === undefined ? undefined : now,
    yieldedAt: now,
    open: ids.length,
    ids: sorted,
  }
}

/** Removes ids from batches, and batches without ids. */
export function withoutIds(batches: readonly HeldBatch[], gone: readonly string[]): HeldBatch[] {
  const isGone = new Set(gone)
  const isLeft = (id: string) => !isGone.has(id)
  return batches
    .map(({ ids, open, ...batch }) => ({
      ...batch,
      ids: ids.filter(isLeft),
      open: ids.slice(0, open).filter(isLeft).length,
    }))
    .filter(({ ids }) => ids.length > 0)
}

/** Moves the ids in `held` to the front of their batches, and assigns these batches to the given directory. */
export function openFirst(
  batches: readonly HeldBatch[],
  directoryId: string,
  held: ReadonlySet<string>,
): HeldBatch[] {
  return batches.map((batch) => {
    const open = batch.ids.filter((id) => held.has(id)).sort()
    if (open.length === 0 && batch.directoryId !== directoryId) return batch
    const others = batch.ids.filter((id) => !held.has(id))
    const owner = open.length > 0 ? directoryId : batch.directoryId
    return { ...batch, directoryId: owner, ids: [...open, ...others], open: open.length }
  })
}

/**
 * Returns a hash of the values. In JSON, `['a', 'b']` and `['ab']` are different texts. The digits are hexadecimal, so
 * on a command line the hash never looks like an option.
 */
function hexOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex')
}
