import type { Instant } from '@scalekit-scim/core/internal'
import type { WalkTally } from '../reading/pages.ts'
import { earliestInstant } from '../reading/records.ts'
import type { Result } from '../reporting/directory-report.ts'
import type { HeldReason, StickyReason } from '../reporting/report.ts'
import { countDeletions, type DeletionLimits, isApproved, reasonToHold } from './deletion-state.ts'
import { type BatchScope, newBatch } from './held-batches.ts'
import { type DirectoryHistory, type HeldBatch, stickyReasons } from './state-format.ts'

/** A record that `known` yielded and no walk listed. */
export interface MissingRecord {
  id: string
  /**
   * - 'own': the record belongs to this directory.
   * - 'removed': the record belongs to a directory that the organization no longer has.
   * - 'unplaced': the directory of the record is unknown, and the organization has or had several directories.
   */
  place: 'own' | 'removed' | 'unplaced'
  /**
   * Whether `known` yields `occurredAt` or `directoryId` for the record. If `occurredAt` and `directoryId` are absent,
   * nothing shows that a directory created the record.
   */
  hasOrigin: boolean
  /** Nanoseconds since 1970. */
  occurredAt: bigint | undefined
  /** The batch in which an earlier pass held the record. */
  batch: HeldBatch | undefined
}

export interface DeletionCase extends BatchScope {
  missing: readonly MissingRecord[]
  history: DirectoryHistory
  /**
   * The number of records to which `maxShare` applies. The base is the largest number of records in the last 30 days.
   * Held records do not count.
   */
  base: number
  /** The beginning of the history: see {@link DirectoryHistory.from}. */
  from: Instant | undefined
  /**
   * The full walks over the directory. The second walk began after the first walk had ended. If the totals of the first
   * walk were wrong, or if a second walk would not help, there is no second walk.
   */
  walks: readonly [WalkTally, WalkTally] | readonly [WalkTally]
  /**
   * Whether the second walk listed all records that the first walk listed. The organization must also have the same
   * directories as before.
   */
  isSettled: boolean
  /** Whether the directory is enabled after the walks. */
  enabled: boolean
  /** Whether `known` yielded foreign records. If `true`, the other records of `known` are also not reliable. */
  foreign: boolean
  /**
   * Whether the pass has read the organization's other directories to their end. The other directories can list users
   * of a removed directory.
   */
  siblingsRead: boolean
}

export interface Decision {
  /** Ids to delete without an approval. The limits count these deletions. */
  unapproved: readonly string[]
  /** Ids to delete with an approval. The limits do not count these deletions. */
  approved: readonly string[]
  /** New batches. Without an approval in this run, the sync does not delete the records. */
  batches: readonly HeldBatch[]
  held: readonly Held[]
  /**
   * Whether the pass could decide about every missing record. If `false`, a later pass decides about the missing
   * records again.
   */
  complete: boolean
}

interface Held {
  reason: HeldReason
  ids: readonly string[]
  batch?: HeldBatch
}

/**
 * Decides which missing records to delete. A walk reads all pages of a directory. If no walk listed a record, the
 * record is missing.
 *
 * Paging does not read a snapshot. Suppose that a user leaves after the walk has listed them. The next users move up.
 * The walk then misses one user between two pages. If another user joins during the walk, the totals match and hide the
 * error.
 *
 * So a deletion needs two walks. Each walk must list as many records as its pages report. The second walk must list all
 * records that the first walk listed. The organization must also have the directories that it had at the beginning of
 * the pass. If the organization has a newer directory, `known` can already yield users of that directory.
 *
 * Limits apply to deletions without an approval. If a filter at the identity provider is wrong, many users look as if
 * they had left. The sync holds all deletions over a limit as one batch with one approval. Users who leave later do not
 * wait for that approval. Neither a later pass nor a wider limit releases held records.
 */
export function decideDeletions(
  subject: DeletionCase,
  limits: DeletionLimits,
  approvals: ReadonlySet<string>,
): Decision {
  const { now, siblingsRead } = subject
  const reasonToWait = waitingReason(subject)
  const stateOf = ({ place, batch }: MissingRecord) => {
    if (place === 'unplaced') return 'unplaced'
    const isDecidable = reasonToWait === undefined && (place !== 'removed' || siblingsRead)
    if (batch) return isDecidable && isApproved(batch, now) ? 'approved' : 'held'
    return isDecidable ? 'new' : 'waiting'
  }
  const byState = Map.groupBy(subject.missing, stateOf)
  const newRecords = byState.get('new') ?? []

  const approved = idsOf(byState.get('approved'))
  const held: Held[] = [...Map.groupBy(byState.get('held') ?? [], ({ batch }) => batch)].flatMap(
    ([batch, records]) => (batch ? { reason: batch.reason, ids: idsOf(records), batch } : []),
  )
  const byReason = Map.groupBy(newRecords, reasonsFor(newRecords, subject, limits))
  const batches: HeldBatch[] = []
  for (const reason of stickyReasons) {
    const ids = idsOf(byReason.get(reason))
    if (ids.length === 0) continue
    const batch = newBatch(subject, reason, ids, approvals)
    batches.push(batch)
    // Pushes one id at a time, because a call with 150,000 arguments throws.
    if (isApproved(batch, now)) for (const id of ids) approved.push(id)
    else held.push({ reason, ids, batch })
  }

  const [waiting, unplaced] = [idsOf(byState.get('waiting')), idsOf(byState.get('unplaced'))]
  if (waiting.length > 0) held.push({ reason: reasonToWait ?? 'unsettled', ids: waiting })
  // Unplaced records do not get an approval, because some of these users can be in another directory.
  if (unplaced.length > 0) held.push({ reason: 'several-directories', ids: unplaced })
  return {
    unapproved: idsOf(byReason.get(undefined)),
    approved,
    batches,
    held,
    complete: waiting.length === 0,
  }
}

function idsOf(records: readonly MissingRecord[] = []): string[] {
  return records.map(({ id }) => id)
}

/** Returns whether a walk listed as many records as each of its pages reported. */
export function addsUp({ unique, totalSize }: Pick<WalkTally, 'unique' | 'totalSize'>): boolean {
  return unique === totalSize
}

/** Returns the reason why this pass cannot decide about any record. If the pass can decide, returns `undefined`. */
function waitingReason({ walks, isSettled, enabled, foreign }: DeletionCase) {
  if (foreign || walks.length < 2 || !walks.every(addsUp) || !isSettled) return 'unsettled'
  return enabled ? undefined : 'directory-disabled'
}

/**
 * Returns a function that returns the reason to hold a record. For records within the limits, the reason is
 * `undefined`.
 */
function reasonsFor(
  records: readonly MissingRecord[],
  { base, history, from, walks, now }: DeletionCase,
  limits: DeletionLimits,
): (record: MissingRecord) => StickyReason | undefined {
  const ownReason = (record: MissingRecord): StickyReason | undefined => {
    if (!record.hasOrigin) return 'no-origin'
    // The list of directories can be incomplete. An incomplete list must not cause deletions.
    if (record.place === 'removed') return 'directory-removed'
    if (!isWithin(from, record)) return 'no-history'
    return walks.some(({ unique }) => unique === 0) ? 'nothing-listed' : undefined
  }
  // Deletions that an earlier pass tried are already counted within the limits.
  const isTried = ({ id }: MissingRecord) => history.tried.has(id)
  const count = records.filter((record) => !ownReason(record) && !isTried(record)).length
  const limitReason = reasonToHold(count, base, history, limits, now)
  return (record) => ownReason(record) ?? (isTried(record) ? undefined : limitReason)
}

function isWithin(from: Instant | undefined, { occurredAt }: MissingRecord): boolean {
  if (from === undefined) return false
  if (from === earliestInstant) return true
  return occurredAt !== undefined && occurredAt >= BigInt(from)
}

/** Adds the deletions of a decision to the history. Deletions that an earlier pass tried are already counted. */
export function noteDeletions(history: DirectoryHistory, { unapproved, held }: Decision, now: Instant): void {
  const again = unapproved.filter((id) => history.tried.has(id))
  countDeletions(history, unapproved.length - again.length, now)
  // Removes tried records from the history if a batch contains them, or if they are no longer missing.
  const waiting = held.flatMap(({ batch, ids }) => (batch ? [] : ids))
  history.tried = new Set([...again, ...waiting.filter((id) => history.tried.has(id))])
}

/**
 * Corrects the history after the deletions. Deletions that certainly did not have an effect no longer count.
 * @returns the ids that are no longer held
 */
export function noteResults(
  history: DirectoryHistory,
  { approved, unapproved }: Decision,
  results: ReadonlyMap<string, Result>,
  now: Instant,
): string[] {
  const isApplied = (id: string) => results.get(id) === 'applied'
  // If a handler failed or dropped the event, the deletion may have taken effect.
  const isTried = (id: string) => ['failed', 'dropped'].includes(results.get(id) ?? '')
  const untouched = unapproved.filter((id) => !isApplied(id) && !isTried(id) && !history.tried.has(id))
  countDeletions(history, -untouched.length, now)
  history.tried = new Set(unapproved.filter(isTried))
  // If a deletion is stale, the record has a newer event, so the record is no longer held.
  return [...approved, ...unapproved].filter((id) => isApplied(id) || results.get(id) === 'stale')
}

/** Whether any record waits for the next pass instead of an approval. */
export function isUndecided({ held }: Decision, now: Instant): boolean {
  return held.some(({ reason, batch }) =>
    batch ? isApproved(batch, now) : reason === 'unsettled' || reason === 'directory-disabled',
  )
}
