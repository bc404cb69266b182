import type { Instant } from '@scalekit-scim/core/internal'
import type { KnownRecords, Sightings } from '../known.ts'
import type { ReturnedRecords } from '../report.ts'
import { recordList } from '../results.ts'
import { type HeldBatch, isUnseen } from './deletion-state.ts'

/** What a pass has seen. */
export interface Seen {
  directoryId: string
  /** All that the organization has. */
  directories: ReadonlySet<string>
  known: KnownRecords
  /** Of all directories of the organization. */
  walks: readonly Sightings[]
}

/** The batches of earlier passes, after this pass has looked. */
export interface Reviewed {
  batches: readonly HeldBatch[]
  /** Records that left their batch because the directory lists them. */
  returned: readonly ReturnedRecords[]
}

/**
 * Lets go of ids that a walk has listed, and of batches of which `known` has yielded nothing for long. An id that `known`
 * does not yield in this pass stays, because `known` may be wrong. So does an id to which `known` gives a newer time: it
 * may be the row's time, and not an event's. If an event was applied, and no directory lists the record, a person decides.
 */
export function reviewBatches(
  batches: readonly HeldBatch[],
  kind: 'user' | 'group',
  { directoryId, directories, known, walks }: Seen,
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

/** Takes ids out of batches. */
export function withoutIds(batches: readonly HeldBatch[], gone: readonly string[]): HeldBatch[] {
  return batches.map((batch) => ({ ...batch, ...rest(batch, gone) })).filter(({ ids }) => ids.length > 0)
}

/** Puts the ids first that the directory's pass holds. The batch is then that directory's. */
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
