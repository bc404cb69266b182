import { type Instant, plusSeconds, syncMarginSeconds } from '@scalekit-scim/core'
import type { KnownRecords, Sightings } from '../known.ts'
import type { ReturnedRecords } from '../report.ts'
import { recordList } from '../results.ts'
import type { HeldBatch } from './deletion-state.ts'

/** The batches of earlier passes, after this pass has looked. */
export interface Reviewed {
  batches: readonly HeldBatch[]
  /** Records that left their batch because the directory lists them. */
  returned: readonly ReturnedRecords[]
}

/**
 * Lets go of ids that a walk has listed, and of those that a newer event was applied to. An id that `known` does not
 * yield in this pass stays: `known` may have been wrong.
 */
export function reviewBatches(
  batches: readonly HeldBatch[],
  kind: 'user' | 'group',
  { known, walks }: { known: KnownRecords; walks: readonly Sightings[] },
  now: Instant,
): Reviewed {
  const left: HeldBatch[] = []
  const returned: ReturnedRecords[] = []
  for (const batch of batches) {
    const listed = batch.ids.filter((id) => walks.some((walk) => walk.has(id)))
    const newer = batch.ids.filter((id) => isNewer(id, batch, known))
    if (listed.length > 0) returned.push({ kind, approval: batch.approval, ...recordList(listed) })
    const yielded = batch.ids.some((id) => known.indexOf(id) !== undefined)
    left.push({ ...batch, yieldedAt: yielded ? now : batch.yieldedAt, ...rest(batch, [...listed, ...newer]) })
  }
  return { batches: left.filter(({ ids }) => ids.length > 0), returned }
}

/** Takes ids out of batches. */
export function withoutIds(batches: readonly HeldBatch[], gone: readonly string[]): HeldBatch[] {
  return batches.map((batch) => ({ ...batch, ...rest(batch, gone) })).filter(({ ids }) => ids.length > 0)
}

/** Puts the ids that are missing from a directory first. The batch is then that directory's. */
export function openFirst(
  batches: readonly HeldBatch[],
  directoryId: string,
  missing: ReadonlySet<string>,
): HeldBatch[] {
  return batches.map((batch) => {
    const open = batch.ids.filter((id) => missing.has(id)).sort()
    if (open.length === 0 && batch.directoryId !== directoryId) return batch
    const others = batch.ids.filter((id) => !missing.has(id))
    const owner = open.length > 0 ? directoryId : batch.directoryId
    return { ...batch, directoryId: owner, ids: [...open, ...others], open: open.length }
  })
}

function rest({ ids, open }: HeldBatch, gone: readonly string[]): Pick<HeldBatch, 'ids' | 'open'> {
  const isGone = new Set(gone)
  const isLeft = (id: string) => !isGone.has(id)
  return { ids: ids.filter(isLeft), open: ids.slice(0, open).filter(isLeft).length }
}

/** Clocks differ: what is not newer beyond doubt stays held. */
function isNewer(id: string, { heldAt }: HeldBatch, known: KnownRecords): boolean {
  const index = known.indexOf(id)
  const occurredAt = index === undefined ? undefined : known.occurredAt(index)
  return occurredAt !== undefined && occurredAt > BigInt(plusSeconds(heldAt, syncMarginSeconds))
}
