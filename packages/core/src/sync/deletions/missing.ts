import type { Instant } from '@scalekit-scim/core/internal'
import type { KnownRecords } from '../known/known-records.ts'
import type { ListedIds } from '../known/listed-ids.ts'
import { recordList } from '../reporting/directory-report.ts'
import type { ReturnedRecords } from '../reporting/report.ts'
import type { MissingRecord } from './decision.ts'
import { isApproved, isUnseen } from './deletion-state.ts'
import { type BatchScope, withoutIds } from './held-batches.ts'
import type { HeldBatch } from './state-format.ts'

/** The other directories of the organization that this pass reads. */
export interface Siblings {
  walks: readonly ListedIds[]
  /** Whether the pass has read all these directories to their end. */
  complete: boolean
}

export interface Search extends BatchScope {
  /** All directories of the organization. */
  directories: ReadonlySet<string>
  siblings: Siblings
  /** The batches of earlier passes. */
  batches: readonly HeldBatch[]
  known: KnownRecords
  /** The indexes in `known` of records that are foreign to this directory. */
  foreign: ReadonlySet<number>
  /** Whether the organization never had another directory. */
  isOnlyDirectory: boolean
}

/** The known records that no walk listed, and the held batches. */
export interface Missing {
  missing: readonly MissingRecord[]
  batches: readonly HeldBatch[]
  /** Records that left their batch because a directory lists them. */
  returned: readonly ReturnedRecords[]
}

/** Finds the known records that no walk listed. */
export function findMissing(search: Search, walks: readonly [ListedIds, ...ListedIds[]]): Missing {
  const { known, siblings, foreign, isOnlyDirectory } = search
  const reviewed = reviewBatches(search, [...walks, ...siblings.walks])
  const batchOf = new Map(reviewed.batches.flatMap((batch) => batch.ids.map((id) => [id, batch] as const)))
  const [listed, ...others] = walks
  const missing = listed
    .missing(...others)
    .filter((index) => !foreign.has(index))
    .map((index) => ({ index, id: known.idAt(index) }))
    // Even if `known` yields this directory's id, a record that another directory lists is not missing.
    .filter(({ id }) => !siblings.walks.some((walk) => walk.has(id)))
    .map(({ index, id }): MissingRecord => {
      const place = placeOf(known, index, isOnlyDirectory)
      const occurredAt = known.occurredAt(index)
      const hasOrigin = occurredAt !== undefined || known.directoryOf(index) !== undefined
      return { id, place, hasOrigin, occurredAt, batch: batchOf.get(id) }
    })
  return { missing, ...reviewed }
}

/**
 * Whether a second walk could show that any of the records can be deleted. A second walk does not help for a record
 * with an unknown directory, or for a record that waits for an approval.
 */
export function canDecide(records: readonly MissingRecord[], now: Instant): boolean {
  return records.some(({ place, batch }) => place !== 'unplaced' && (!batch || isApproved(batch, now)))
}

/**
 * Releases ids that a walk has listed. If `known` has yielded no id of a batch for 90 days, releases the batch.
 *
 * Does not release other ids, including:
 * - Ids that `known` does not yield in this pass, because `known` can be wrong.
 * - Ids for which `known` yields a newer time. This time can be the time of the row, and not of an event. Even after a
 *   newer event, a record that no directory lists needs an approval.
 */
function reviewBatches(
  { kind, batches, known, directory, directories, now }: Search,
  walks: readonly ListedIds[],
): Pick<Missing, 'batches' | 'returned'> {
  const left: HeldBatch[] = []
  const returned: ReturnedRecords[] = []
  for (const batch of batches) {
    const listed = batch.ids.filter((id) => walks.some((walk) => walk.has(id)))
    if (listed.length > 0) returned.push({ kind, approval: batch.approval, ...recordList(listed) })
    const yielded = batch.ids.some((id) => known.wasYielded(id))
    const isOurs = batch.directoryId === directory.id || !directories.has(batch.directoryId)
    if (!yielded && isOurs && isUnseen(batch, now)) continue
    left.push(...withoutIds([{ ...batch, yieldedAt: yielded ? now : batch.yieldedAt }], listed))
  }
  return { batches: left, returned }
}

/**
 * Returns the kind of directory to which a known record belongs: see {@link MissingRecord.place}. Records of the
 * organization's other directories are not in `known`.
 */
export function placeOf(
  known: KnownRecords,
  index: number,
  isOnlyDirectory: boolean,
): MissingRecord['place'] {
  if (known.isOfRemovedDirectory(index)) return 'removed'
  return known.directoryOf(index) !== undefined || isOnlyDirectory ? 'own' : 'unplaced'
}
