import type { Instant } from '@scalekit-scim/core/internal'
import type { KnownRecords } from '../known/known-records.ts'
import type { ListedIds } from '../known/listed-ids.ts'
import { recordList } from '../reporting/directory-report.ts'
import type { ReturnedRecords } from '../reporting/report.ts'
import { isUnseen } from './deletion-state.ts'
import type { HeldBatch } from './state-format.ts'

/** The findings of a pass. */
export interface Findings {
  directoryId: string
  /** All directories of the organization. */
  directories: ReadonlySet<string>
  known: KnownRecords
  /** The walks over all directories of the organization. */
  walks: readonly ListedIds[]
}

/** The batches of earlier passes, after this pass has released ids. */
export interface Reviewed {
  batches: readonly HeldBatch[]
  /** Records that left their batch because a directory lists them. */
  returned: readonly ReturnedRecords[]
}

/**
 * Releases ids that a walk has listed. Also releases a batch if `known` has not yielded any of its ids for 90 days.
 *
 * All other ids stay in their batch, including:
 * - Ids that `known` does not yield in this pass, because `known` may be wrong.
 * - Ids for which `known` yields a newer time, because that may be the time of the row instead of the time of an event.
 *   Even after a newer event, a record that no directory lists needs an approval.
 */
export function reviewBatches(
  batches: readonly HeldBatch[],
  kind: 'user' | 'group',
  { directoryId, directories, known, walks }: Findings,
  now: Instant,
): Reviewed {
  const left: HeldBatch[] = []
  const returned: ReturnedRecords[] = []
  for (const batch of batches) {
    const listed = batch.ids.filter((id) => walks.some((walk) => walk.has(id)))
    if (listed.length > 0) returned.push({ kind, approval: batch.approval, ...recordList(listed) })
    const yielded = batch.ids.some((id) => known.wasYielded(id))
    const isOurs = batch.directoryId === directoryId || !directories.has(batch.directoryId)
    if (!yielded && isOurs && isUnseen(batch, now)) continue
    left.push({ ...batch, yieldedAt: yielded ? now : batch.yieldedAt, ...rest(batch, listed) })
  }
  return { batches: left.filter(({ ids }) => ids.length > 0), returned }
}

/** Approves the batches that have one of these approvals. */
export function approveBatches(
  batches: readonly HeldBatch[],
  approvals: ReadonlySet<string>,
  now: Instant,
): HeldBatch[] {
  return batches.map((batch) => (approvals.has(batch.approval) ? { ...batch, approvedAt: now } : batch))
}

/** Removes ids from batches. */
export function withoutIds(batches: readonly HeldBatch[], gone: readonly string[]): HeldBatch[] {
  return batches.map((batch) => ({ ...batch, ...rest(batch, gone) })).filter(({ ids }) => ids.length > 0)
}

/** Moves the ids in `held` to the front of their batches. These batches then belong to the given directory. */
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

function rest({ ids, open }: HeldBatch, gone: readonly string[]): Pick<HeldBatch, 'ids' | 'open'> {
  const isGone = new Set(gone)
  const isLeft = (id: string) => !isGone.has(id)
  return { ids: ids.filter(isLeft), open: ids.slice(0, open).filter(isLeft).length }
}
