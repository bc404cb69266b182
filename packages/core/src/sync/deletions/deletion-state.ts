import { type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import type { StickyReason } from '../reporting/report.ts'

// The past and the held deletions of one kind (users or groups) in an organization. Both are stored, because the limits
// count deletions over several days, and held deletions stay held. All times are the store's.

export interface DeletionState {
  /** All directories that the organization has or had, by id. */
  directories: Map<string, DirectoryHistory>
  batches: HeldBatch[]
  /**
   * Other organizations for which `known` yielded ids of this organization. The value is the time when a pass last
   * found such ids.
   */
  sharedWith: Map<string, Instant>
}

export interface DirectoryHistory {
  /**
   * The beginning of the history. No pass has checked records from before this time. The value is `earliestInstant`
   * after a full pass has checked all records, and `undefined` before the first full pass.
   */
  from?: Instant | undefined
  /** The number of unapproved deletions in each hour. The key is the number of hours since 1970. */
  deletedByHour: Map<number, number>
  /** The ids of counted deletions whose handler failed or dropped the event. A retry does not count them again. */
  tried: Set<string>
  /**
   * The largest number of the application's records on each day, without held records. The key is the number of days
   * since 1970.
   */
  knownByDay: Map<number, number>
}

/** Deletions that one pass held together. One approval applies to all of them. */
export interface HeldBatch {
  /** Does not change when ids leave the batch. */
  approval: string
  /** The directory whose pass held the records, or was the last to find some of them missing. */
  directoryId: string
  reason: StickyReason
  heldAt: Instant
  approvedAt?: Instant | undefined
  /** When `known` last yielded one of the ids. */
  yieldedAt: Instant
  /**
   * The number of open ids. An id is open if `known` yields it and the directory does not list it. Open ids come first
   * in `ids`.
   */
  open: number
  ids: readonly string[]
}

export interface DeletionLimits {
  /** How many deletions of one kind within 24 hours need no approval. */
  maxCount: number
  /** The same limit, as a share of the directory's users or groups. */
  maxShare: number
}

/** All sticky reasons, in the order of a report. */
export const stickyReasons: readonly StickyReason[] = [
  'no-origin',
  'directory-removed',
  'no-history',
  'nothing-listed',
  'over-half',
  'over-limit',
]
const hourSeconds = 3600
const daySeconds = 86_400
const periodDays = 30
export const approvalDays = 7
const unseenSeconds = 90 * daySeconds

export function emptyState(): DeletionState {
  return { directories: new Map(), batches: [], sharedWith: new Map() }
}

export function emptyHistory(): DirectoryHistory {
  return { from: undefined, deletedByHour: new Map(), tried: new Set(), knownByDay: new Map() }
}

/** Removes expired approvals, and all counts and entries of `sharedWith` that are older than 30 days. */
export function forgetOld({ directories, batches, sharedWith }: DeletionState, now: Instant): DeletionState {
  const periodBegan = plusSeconds(now, -periodDays * daySeconds)
  return {
    directories: new Map([...directories].map(([id, history]) => [id, recentHistory(history, now)])),
    batches: batches.map((batch) => (isApproved(batch, now) ? batch : { ...batch, approvedAt: undefined })),
    sharedWith: new Map([...sharedWith].filter(([, at]) => at > periodBegan)),
  }
}

function recentHistory({ from, tried, deletedByHour, knownByDay }: DirectoryHistory, now: Instant) {
  return {
    from,
    tried: new Set(tried),
    deletedByHour: since(deletedByHour, hourOf(now) - periodDays * 24),
    knownByDay: since(knownByDay, dayOf(now) - periodDays),
  }
}

function since(counts: ReadonlyMap<number, number>, first: number): Map<number, number> {
  return new Map([...counts].filter(([time]) => time >= first))
}

export function addDirectories({ directories }: DeletionState, ids: Iterable<string>): void {
  for (const id of ids) if (!directories.has(id)) directories.set(id, emptyHistory())
}

/** The largest number of known records within 30 days. Deletions do not reduce it. */
export function largestKnown({ knownByDay }: DirectoryHistory): number {
  return Math.max(0, ...knownByDay.values())
}

export function noteKnown(history: DirectoryHistory, count: number, now: Instant): void {
  const day = dayOf(now)
  history.knownByDay.set(day, Math.max(count, history.knownByDay.get(day) ?? 0))
}

/** @param count if negative, reverses an earlier count of the same hour */
export function countDeletions(history: DirectoryHistory, count: number, at: Instant): void {
  if (count === 0) return
  const hour = hourOf(at)
  const total = (history.deletedByHour.get(hour) ?? 0) + count
  if (total > 0) history.deletedByHour.set(hour, total)
  else history.deletedByHour.delete(hour)
}

/**
 * The reason why these deletions need an approval, or `undefined` if they do not. Deletions are counted by whole hours,
 * so a daily limit covers 24 to 25 hours.
 * @param base the number of records of which shares are calculated
 */
export function reasonToHold(
  count: number,
  base: number,
  history: DirectoryHistory,
  { maxCount, maxShare }: DeletionLimits,
  now: Instant,
): 'over-half' | 'over-limit' | undefined {
  const ofPeriod = count + deletedInHours(history, periodDays * 24, now)
  const ofDay = count + deletedInHours(history, 24, now)
  if (ofPeriod > base / 2) return 'over-half'
  if (ofDay > Math.max(maxCount, maxShare * base)) return 'over-limit'
  return ofPeriod > Math.max(2 * maxCount, 4 * maxShare * base) ? 'over-limit' : undefined
}

function deletedInHours({ deletedByHour }: DirectoryHistory, hours: number, now: Instant): number {
  const first = hourOf(now) - hours
  return [...deletedByHour].reduce((sum, [hour, count]) => (hour >= first ? sum + count : sum), 0)
}

/** Whether `known` has not yielded any of the ids for 90 days. The batch is then discarded. */
export function isUnseen({ yieldedAt }: HeldBatch, now: Instant): boolean {
  return secondsOf(now) - secondsOf(yieldedAt) >= unseenSeconds
}

export function approvedUntil(approvedAt: Instant): Instant {
  return plusSeconds(approvedAt, approvalDays * daySeconds)
}

export function isApproved({ approvedAt }: Pick<HeldBatch, 'approvedAt'>, now: Instant): boolean {
  return approvedAt !== undefined && secondsOf(now) - secondsOf(approvedAt) < approvalDays * daySeconds
}

function hourOf(instant: Instant): number {
  return Math.floor(secondsOf(instant) / hourSeconds)
}

export function dayOf(instant: Instant): number {
  return Math.floor(secondsOf(instant) / daySeconds)
}

function secondsOf(instant: Instant): number {
  return Number(instant.slice(0, -9))
}
