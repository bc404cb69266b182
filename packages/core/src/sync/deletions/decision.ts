import { createHash } from 'node:crypto'
import type { Instant } from '@scalekit-scim/core/internal'
import type { WalkTally } from '../reading/pages.ts'
import { type DirectoryRef, earliestInstant, type Kind } from '../reading/records.ts'
import type { HeldReason, StickyReason } from '../reporting/report.ts'
import {
  approvalDays,
  countDeletions,
  type DeletionLimits,
  type DirectoryHistory,
  dayOf,
  type HeldBatch,
  isApproved,
  reasonToHold,
  stickyReasons,
} from './deletion-state.ts'

/** A record that the application has and no walk listed. */
export interface MissingRecord {
  id: string
  /**
   * 'own': of this directory. 'removed': of a directory that the organization no longer has. 'unplaced': without a
   * directory, in an organization that has or had several.
   */
  place: 'own' | 'removed' | 'unplaced'
  /** Whether the application has the time of an event, or the directory. Only a directory's events have these. */
  hasOrigin: boolean
  /** Nanoseconds since 1970. */
  occurredAt: bigint | undefined
  /** The batch in which an earlier pass held the record. */
  batch: HeldBatch | undefined
}

export interface DeletionCase {
  directory: DirectoryRef
  kind: Kind['name']
  now: Instant
  missing: readonly MissingRecord[]
  history: DirectoryHistory
  /** The number of records to which shares refer: the largest of 30 days or of now, without held ones. */
  base: number
  /** The beginning of the history: see {@link DirectoryHistory.from}. */
  from: Instant | undefined
  /** The second began after the first ended. It is absent if the first did not add up, or if nothing can be decided. */
  walks: readonly [WalkTally, WalkTally] | readonly [WalkTally]
  /** Whether the second walk listed everything that the first listed, and the organization's directories are the same. */
  isSettled: boolean
  /** Whether the directory is enabled after the walks. */
  enabled: boolean
  /** Whether `known` yielded foreign records. Then its other records are not reliable. */
  foreign: boolean
  /** Whether the organization's other directories were read to their end. They may list the users of a removed one. */
  siblingsRead: boolean
}

export interface Decision {
  /** Ids to delete within the limits, which count them. */
  unapproved: readonly string[]
  /** Approved ids to delete. The limits do not count them. */
  approved: readonly string[]
  /** New batches: held from now on, or approved by an approval of this run. */
  batches: readonly HeldBatch[]
  held: readonly Held[]
  /** Whether every missing record was decided. If not, a later pass decides without regard to this one. */
  complete: boolean
}

interface Held {
  reason: HeldReason
  ids: readonly string[]
  batch?: HeldBatch
}

/**
 * Decides which missing records are deleted.
 *
 * Paging does not read a snapshot. If a user leaves that the walk has passed, the following users move up, and the walk
 * misses one of them between two pages. If another user joins meanwhile, even the totals add up. So two walks are needed:
 * each adds up, and the second lists everything that the first listed. The organization must still have the directories
 * of the pass's beginning, because `known` may yield users of a newer one.
 *
 * Limits apply to deletions without an approval, because a wrong filter at the identity provider looks like many users
 * who left. Deletions over a limit are held as one batch with its own approval, so the next leaver does not wait for it.
 * Neither a later pass nor a wider limit releases held records.
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
    // One at a time: a call with 150,000 arguments throws.
    if (isApproved(batch, now)) for (const id of ids) approved.push(id)
    else held.push({ reason, ids, batch })
  }

  const [waiting, unplaced] = [idsOf(byState.get('waiting')), idsOf(byState.get('unplaced'))]
  if (waiting.length > 0) held.push({ reason: reasonToWait ?? 'unsettled', ids: waiting })
  // These cannot be approved: users who are still in another directory may be among them.
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

/** Whether a walk listed the number of records that all its pages announced. */
export function addsUp({ unique, totalSize }: Pick<WalkTally, 'unique' | 'totalSize'>): boolean {
  return unique === totalSize
}

/** The name of a set of ids on a day. */
function approvalOf({ directory, kind }: DeletionCase, setOfIds: string, day: number): string {
  return hexOf([directory.organizationId, directory.id, kind, day, setOfIds])
}

/** Of JSON, so that two ids differ from one. In hexadecimal, so that no command line takes it for an option. */
function hexOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex')
}

/** The approval of this run that matches the ids, from a dry run or an earlier process of the last days. */
function givenApproval(
  subject: DeletionCase,
  setOfIds: string,
  approvals: ReadonlySet<string>,
): string | undefined {
  const today = dayOf(subject.now)
  const lastDays = Array.from({ length: approvalDays + 1 }, (_, days) => today - days)
  return lastDays.map((day) => approvalOf(subject, setOfIds, day)).find((approval) => approvals.has(approval))
}

/** Why nothing can be decided in this pass. The next one checks again. */
function waitingReason({ walks, isSettled, enabled, foreign }: DeletionCase) {
  if (foreign || walks.length < 2 || !walks.every(addsUp) || !isSettled) return 'unsettled'
  return enabled ? undefined : 'directory-disabled'
}

/** Returns the reason to hold each of the new missing records, or `undefined` for those within the limits. */
function reasonsFor(
  records: readonly MissingRecord[],
  { base, history, from, walks, now }: DeletionCase,
  limits: DeletionLimits,
): (record: MissingRecord) => StickyReason | undefined {
  const ownReason = (record: MissingRecord): StickyReason | undefined => {
    if (!record.hasOrigin) return 'no-origin'
    // An incomplete list of directories must not cause deletions.
    if (record.place === 'removed') return 'directory-removed'
    if (!isWithin(from, record)) return 'no-history'
    return walks.some(({ unique }) => unique === 0) ? 'nothing-listed' : undefined
  }
  // Deletions that an earlier pass tried were within the limits, and are counted.
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

function newBatch(
  subject: DeletionCase,
  reason: StickyReason,
  ids: readonly string[],
  approvals: ReadonlySet<string>,
): HeldBatch {
  const { directory, now } = subject
  const sorted = [...ids].sort()
  const setOfIds = hexOf(sorted)
  const given = givenApproval(subject, setOfIds, approvals)
  return {
    approval: given ?? approvalOf(subject, setOfIds, dayOf(now)),
    directoryId: directory.id,
    reason,
    heldAt: now,
    approvedAt: given === undefined ? undefined : now,
    yieldedAt: now,
    open: ids.length,
    ids: sorted,
  }
}

/** Adds the deletions of a decision to the history. Those that an earlier pass tried are counted already. */
export function noteDeletions(history: DirectoryHistory, { unapproved, held }: Decision, now: Instant): void {
  const again = unapproved.filter((id) => history.tried.has(id))
  countDeletions(history, unapproved.length - again.length, now)
  // Tried records are forgotten once they are held, or no longer missing.
  const waiting = held.flatMap(({ batch, ids }) => (batch ? [] : ids))
  history.tried = new Set([...again, ...waiting.filter((id) => history.tried.has(id))])
}
