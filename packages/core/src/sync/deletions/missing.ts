import type { Instant } from '@scalekit-scim/core/internal'
import type { KnownRecords } from '../known/known-records.ts'
import { ListedIds } from '../known/listed-ids.ts'
import type { WalkTally } from '../reading/pages.ts'
import { addsUp, type MissingRecord } from './decision.ts'
import { isApproved } from './deletion-state.ts'
import { type Reviewed, reviewBatches } from './held-batches.ts'
import type { HeldBatch } from './state-format.ts'

/** The first full walk over a directory, and the records that `known` yielded before it. */
export interface FirstWalk {
  known: KnownRecords
  listed: ListedIds
  tally: WalkTally
  /** The store's time before `known` was read. Later events are newer than the finding that a record is missing. */
  observedAt: Instant
}

/** The known records that no walk listed, and the held batches. */
export interface Missing {
  records: readonly MissingRecord[]
  reviewed: Reviewed
  walks: readonly [WalkTally] | readonly [WalkTally, WalkTally]
  /** Whether the second walk listed everything that the first listed. */
  walksAgree: boolean
}

/** The other directories of the organization that this pass reads. */
export interface Siblings {
  walks: readonly ListedIds[]
  /** Whether all these directories were read to their end. */
  complete: boolean
}

export interface Search {
  kind: 'user' | 'group'
  directoryId: string
  /** All directories of the organization. */
  directories: ReadonlySet<string>
  siblings: Siblings
  batches: readonly HeldBatch[]
  /** The indexes in `known` of records that are foreign to this directory. */
  foreign: ReadonlySet<number>
  /** Whether the organization never had another directory. */
  isOnlyDirectory: boolean
  now: Instant
}

/**
 * Finds the known records that no walk listed.
 * @param walkAgain makes the second walk. Not called if the first walk did not add up, or if no missing record can be
 *   decided
 */
export async function findMissing(
  first: FirstWalk,
  search: Search,
  walkAgain: (listed: ListedIds) => Promise<WalkTally>,
): Promise<Missing> {
  const { known, listed, tally } = first
  const once = missingFrom(known, [listed], search)
  if (!addsUp(tally) || !once.records.some((record) => canBeDecided(record, search.now))) {
    return { ...once, walks: [tally], walksAgree: false }
  }
  const again = new ListedIds(known)
  const walks = [tally, await walkAgain(again)] as const
  return { ...missingFrom(known, [listed, again], search), walks, walksAgree: again.covers(listed) }
}

/**
 * Whether a second walk can decide about the record. It cannot if the directory of the record is unknown, or if the
 * record waits for an approval.
 */
export function canBeDecided({ place, batch }: MissingRecord, now: Instant): boolean {
  return place !== 'unplaced' && (!batch || isApproved(batch, now))
}

function missingFrom(
  known: KnownRecords,
  walks: readonly [ListedIds, ...ListedIds[]],
  { kind, directoryId, directories, siblings, batches, foreign, isOnlyDirectory, now }: Search,
): Pick<Missing, 'records' | 'reviewed'> {
  const findings = { directoryId, directories, known, walks: [...walks, ...siblings.walks] }
  const reviewed = reviewBatches(batches, kind, findings, now)
  const batchOf = new Map(reviewed.batches.flatMap((batch) => batch.ids.map((id) => [id, batch] as const)))
  const [listed, ...others] = walks
  const records = listed
    .missing(...others)
    .filter((index) => !foreign.has(index))
    .map((index) => ({ index, id: known.idAt(index) }))
    // A record that another directory lists is not missing, even if `known` yields this directory's id.
    .filter(({ id }) => !siblings.walks.some((walk) => walk.has(id)))
    .map(({ index, id }): MissingRecord => {
      const place = placeOf(known, index, isOnlyDirectory)
      const occurredAt = known.occurredAt(index)
      const hasOrigin = occurredAt !== undefined || known.directoryOf(index) !== undefined
      return { id, place, hasOrigin, occurredAt, batch: batchOf.get(id) }
    })
  return { records, reviewed }
}

/**
 * Tells to which directory a known record belongs: see {@link MissingRecord.place}. Records of the organization's other
 * directories are not in `known`.
 */
export function placeOf(
  known: KnownRecords,
  index: number,
  isOnlyDirectory: boolean,
): MissingRecord['place'] {
  if (known.isOfRemovedDirectory(index)) return 'removed'
  return known.directoryOf(index) !== undefined || isOnlyDirectory ? 'own' : 'unplaced'
}
