import type { Instant } from '@scalekit-scim/core/internal'
import { type KnownRecords, Sightings } from '../known.ts'
import type { WalkTally } from '../walk.ts'
import { type HeldBatch, isApproved } from './deletion-state.ts'
import { type Reviewed, reviewBatches } from './held-batches.ts'
import { addsUp, type MissingRecord } from './judgement.ts'

/** What a first full walk leaves to find the deletions with. */
export interface FirstWalk {
  known: KnownRecords
  sightings: Sightings
  tally: WalkTally
  /** The store's time before `known` was read: what was applied since is newer than what is found missing. */
  observedAt: Instant
}

/** The known records that one walk missed, or two, and what is held of them. */
export interface Missing {
  records: readonly MissingRecord[]
  reviewed: Reviewed
  walks: readonly [WalkTally] | readonly [WalkTally, WalkTally]
  /** Whether the second walk met everybody whom the first met. */
  steady: boolean
}

/** The other directories of the organization that were read in this pass. */
export interface Siblings {
  /** What they list. */
  walks: readonly Sightings[]
  /** Whether all of them were read to their end. */
  complete: boolean
}

export interface Looking {
  kind: 'user' | 'group'
  directoryId: string
  /** All that the organization has. */
  directories: ReadonlySet<string>
  siblings: Siblings
  batches: readonly HeldBatch[]
  /** Indexes in `known` of records that are not this directory's. */
  foreign: ReadonlySet<number>
  /** Whether the organization never had another directory. */
  sole: boolean
  now: Instant
}

/** @param walkAgain takes the second walk. It is not called if nothing can be decided about anybody who is missing. */
export async function findMissing(
  first: FirstWalk,
  looking: Looking,
  walkAgain: (sightings: Sightings) => Promise<WalkTally>,
): Promise<Missing> {
  const { known, sightings, tally } = first
  const once = missingFrom(known, [sightings], looking)
  if (!addsUp(tally) || !once.records.some((record) => canBeDecided(record, looking.now))) {
    return { ...once, walks: [tally], steady: false }
  }
  const again = new Sightings(known)
  const walks = [tally, await walkAgain(again)] as const
  return { ...missingFrom(known, [sightings, again], looking), walks, steady: again.covers(sightings) }
}

/** A record that waits for an approval waits whatever a second walk finds. */
export function canBeDecided({ place, batch }: MissingRecord, now: Instant): boolean {
  return place !== 'unplaced' && (!batch || isApproved(batch, now))
}

function missingFrom(
  known: KnownRecords,
  walks: readonly [Sightings, ...Sightings[]],
  { kind, directoryId, directories, siblings, batches, foreign, sole, now }: Looking,
): Pick<Missing, 'records' | 'reviewed'> {
  const seen = { directoryId, directories, known, walks: [...walks, ...siblings.walks] }
  const reviewed = reviewBatches(batches, kind, seen, now)
  const batchOf = new Map(reviewed.batches.flatMap((batch) => batch.ids.map((id) => [id, batch] as const)))
  const [sightings, ...others] = walks
  const records = sightings
    .missing(...others)
    .filter((index) => !foreign.has(index))
    .map((index) => ({ index, id: known.idAt(index) }))
    // A person whom another directory lists has not left, even if `known` names this directory.
    .filter(({ id }) => !siblings.walks.some((walk) => walk.has(id)))
    .map(({ index, id }): MissingRecord => {
      const place = placeOf(known, index, sole)
      const occurredAt = known.occurredAt(index)
      const hasOrigin = occurredAt !== undefined || known.directoryOf(index) !== undefined
      return { id, place, hasOrigin, occurredAt, batch: batchOf.get(id) }
    })
  return { records, reviewed }
}

/** Whose a known record is. Another listed directory's are not among them. */
export function placeOf(known: KnownRecords, index: number, sole: boolean): MissingRecord['place'] {
  if (known.isOfRemoved(index)) return 'removed'
  return known.directoryOf(index) !== undefined || sole ? 'own' : 'unplaced'
}
