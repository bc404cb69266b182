import { createHash } from 'node:crypto'
import type { Instant } from '@scalekit-scim/core/internal'
import type { DirectoryRef } from '../records.ts'
import type { HeldReason, StickyReason } from '../report.ts'
import type { WalkTally } from '../walk.ts'
import {
  always,
  approvalDays,
  type DeletionLimits,
  type DirectoryHistory,
  dayOf,
  type HeldBatch,
  isApproved,
  reasonToHold,
} from './deletion-state.ts'

/** A record that the application has and no walk has seen. */
export interface MissingRecord {
  id: string
  /**
   * 'own': of this directory. 'removed': of one that the organization does not have any more. 'unplaced': the application
   * does not say which directory it is of, and the organization has or had several.
   */
  place: 'own' | 'removed' | 'unplaced'
  /** Whether the application has the time of an event, or the directory: what only a directory's events bring. */
  hasOrigin: boolean
  /** Nanoseconds since 1970. */
  occurredAt: bigint | undefined
  /** In which it is held since an earlier pass. */
  batch: HeldBatch | undefined
}

export interface DeletionCase {
  directory: DirectoryRef
  kind: 'user' | 'group'
  now: Instant
  missing: readonly MissingRecord[]
  history: DirectoryHistory
  /** The number of records that shares are taken of: the largest of 30 days or of now, without held ones. */
  base: number
  /** Where the history begins: see {@link DirectoryHistory.from}. */
  from: Instant | undefined
  /** The second began after the first had ended. It is left out if the first did not add up, or nothing can be decided. */
  walks: readonly [WalkTally, WalkTally] | readonly [WalkTally]
  /** Whether the second walk met everybody whom the first met, and the organization has the directories that it had. */
  steady: boolean
  /** Whether the directory is enabled after the walks. */
  enabled: boolean
  /** Whether `known` yielded records of others, so that nobody knows what else it yields. */
  foreign: boolean
  /** Whether the organization's other directories were read to their end: they may list the people of a removed one. */
  siblingsRead: boolean
}

export interface Verdict {
  /** Within the limits. They count. */
  unapproved: readonly string[]
  /** Approved by a person. They do not count. */
  approved: readonly string[]
  /** Those among them that only this run's approvals name, and those that are held from now on. */
  batches: readonly HeldBatch[]
  held: readonly Held[]
  /** Whether everybody who is missing was judged. If not, a later pass does it, as if this one had not been. */
  complete: boolean
}

interface Held {
  reason: HeldReason
  ids: readonly string[]
  batch?: HeldBatch
}

/**
 * Decides which of the records that the directory does not list any more are deleted.
 *
 * Paging promises no snapshot. If somebody leaves whom the reader has passed, all who follow move up, and one of them
 * slips past between two pages. If somebody else joins meanwhile, even the numbers add up. So two walks are believed if
 * each adds up, and the second met everybody whom the first met. And the organization must still have the directories
 * that the pass began with: `known` may hold people of a newer one.
 *
 * How much is deleted by that alone is limited, because a wrong filter at the identity provider looks like people who
 * have left. What exceeds a limit is held as one batch, under an approval of its own, so that the next leaver does not
 * wait for it. Held records stay held: neither a later pass nor a wider limit frees them.
 */
export function judgeDeletions(
  subject: DeletionCase,
  limits: DeletionLimits,
  approvals: ReadonlySet<string>,
): Verdict {
  const { now, missing } = subject
  const waitingFor = reasonToWait(subject)
  const mayDecide = ({ place }: MissingRecord) =>
    waitingFor === undefined && (place !== 'removed' || subject.siblingsRead)
  const waiting: string[] = []
  const approved: string[] = []
  const heldIds = new Map<HeldBatch, string[]>()
  const fresh: MissingRecord[] = []
  const unplaced: string[] = []
  for (const record of missing) {
    const { id, place, batch } = record
    if (place === 'unplaced') unplaced.push(id)
    else if (batch && isApproved(batch, now) && mayDecide(record)) approved.push(id)
    else if (batch) pushTo(heldIds, batch, id)
    else if (mayDecide(record)) fresh.push(record)
    else waiting.push(id)
  }

  const batches: HeldBatch[] = []
  const unapproved: string[] = []
  for (const [reason, ids] of groupsOf(fresh, subject, limits)) {
    if (reason === undefined) {
      for (const id of ids) unapproved.push(id)
      continue
    }
    const batch = newBatch(subject, reason, ids, approvals)
    batches.push(batch)
    // One at a time: a call with 150,000 arguments throws.
    if (isApproved(batch, now)) for (const id of ids) approved.push(id)
    else heldIds.set(batch, ids)
  }

  const held: Held[] = [...heldIds].map(([batch, ids]) => ({ reason: batch.reason, ids, batch }))
  if (waiting.length > 0) held.push({ reason: waitingFor ?? 'unsettled', ids: waiting })
  // Nobody can approve these: the other directory's people, who are there, would be among them.
  if (unplaced.length > 0) held.push({ reason: 'several-directories', ids: unplaced })
  return { unapproved, approved, batches, held, complete: waiting.length === 0 }
}

/** What a walk saw is what its pages had announced, all of them alike. */
export function addsUp({ unique, totalSize }: Pick<WalkTally, 'unique' | 'totalSize'>): boolean {
  return unique === totalSize
}

/** Names a set of deletions on a day: the same for the same ids in any order, and for no other set. */
function approvalOf({ directory, kind }: DeletionCase, setOfIds: string, day: number): string {
  return hexOf([directory.organizationId, directory.id, kind, day, setOfIds])
}

/** As JSON, so that no id can be taken for two. In hexadecimal: no command line takes it for an option. */
function hexOf(values: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex')
}

/** The given approval of the last days. It is a dry run's, or an earlier process's, and as long valid as others. */
function givenApproval(
  subject: DeletionCase,
  setOfIds: string,
  approvals: ReadonlySet<string>,
): string | undefined {
  const today = dayOf(subject.now)
  const lastDays = Array.from({ length: approvalDays + 1 }, (_, days) => today - days)
  return lastDays.map((day) => approvalOf(subject, setOfIds, day)).find((approval) => approvals.has(approval))
}

function pushTo<Key>(lists: Map<Key, string[]>, key: Key, id: string): void {
  const list = lists.get(key)
  if (list) list.push(id)
  else lists.set(key, [id])
}

/** Why nothing can be decided in this pass. The next one looks again. */
function reasonToWait({ walks, steady, enabled, foreign }: DeletionCase) {
  if (foreign || walks.length < 2 || !walks.every(addsUp) || !steady) return 'unsettled'
  return enabled ? undefined : 'directory-disabled'
}

/** The new ones, by the reason to hold them. */
function groupsOf(
  fresh: readonly MissingRecord[],
  { base, history, from, walks, now }: DeletionCase,
  limits: DeletionLimits,
): Map<StickyReason | undefined, string[]> {
  const groups = new Map<StickyReason | undefined, string[]>()
  const put = (reason: StickyReason | undefined, ids: string[]) => {
    if (ids.length > 0) groups.set(reason, ids)
  }
  const ids = (records: readonly MissingRecord[]) => records.map(({ id }) => id)
  put('no-origin', ids(fresh.filter(({ hasOrigin }) => !hasOrigin)))
  const known = fresh.filter(({ hasOrigin }) => hasOrigin)
  // A list of directories that came too short must delete nobody by itself.
  put('directory-removed', ids(known.filter(({ place }) => place === 'removed')))
  const all = known.filter(({ place }) => place === 'own')
  put('no-history', ids(all.filter((record) => !isWithin(from, record))))
  const own = ids(all.filter((record) => isWithin(from, record)))
  // What an earlier pass tried was within the limits then, and is counted.
  const again = own.filter((id) => history.tried.has(id))
  const first = own.filter((id) => !history.tried.has(id))
  if (walks.some(({ unique }) => unique === 0)) put('nothing-listed', own)
  else {
    const reason = reasonToHold(first.length, base, history, limits, now)
    put(reason, first)
    put(undefined, reason === undefined ? own : again)
  }
  return groups
}

function isWithin(from: Instant | undefined, { occurredAt }: MissingRecord): boolean {
  if (from === undefined) return false
  if (from === always) return true
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
