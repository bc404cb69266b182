import { type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import type { StickyReason } from '../reporting/report.ts'

// The past deletions of one kind (users or groups) in an organization, and the held ones. The limits count over days, and
// held deletions stay held, so both are stored. All times are the store's.

export interface DeletionState {
  /** All directories that the organization has or had, by id. */
  directories: Map<string, DirectoryHistory>
  batches: HeldBatch[]
  /** Organizations for which `known` yielded the same ids, with the last time. */
  sharedWith: Map<string, Instant>
}

export interface DirectoryHistory {
  /**
   * The beginning of the history. No pass has checked older records yet. `earliestInstant` after a full pass has checked
   * all records, `undefined` before the first one.
   */
  from?: Instant | undefined
  /** The number of unapproved deletions, by the hour since 1970. */
  deletedByHour: Map<number, number>
  /** Counted deletions whose handler failed or dropped the event. A retry does not count them again. */
  tried: Set<string>
  /** The largest number of the application's records without held ones, by the day since 1970. */
  knownByDay: Map<number, number>
}

/** Deletions that one pass held together. One approval is valid for all of them. */
export interface HeldBatch {
  /** Does not change when ids leave the batch. */
  approval: string
  /** The directory whose pass held them, or last found them missing. */
  directoryId: string
  reason: StickyReason
  heldAt: Instant
  approvedAt?: Instant | undefined
  /** The last time at which `known` yielded one of the ids. */
  yieldedAt: Instant
  /** The number of open ids, which come first: `known` yields them, and the directory does not list them. */
  open: number
  ids: readonly string[]
}

export interface DeletionLimits {
  /** The number of deletions of one kind in 24 hours that need no approval. */
  maxCount: number
  /** The same limit as a share of the directory's users or groups. */
  maxShare: number
}

/** In the order of a report. */
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

/** Removes counts and shared ids from before the period, and expired approvals. */
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

/** The largest count of the period. Deletions do not reduce it. */
export function largestKnown({ knownByDay }: DirectoryHistory): number {
  return Math.max(0, ...knownByDay.values())
}

export function noteKnown(history: DirectoryHistory, count: number, now: Instant): void {
  const day = dayOf(now)
  history.knownByDay.set(day, Math.max(count, history.knownByDay.get(day) ?? 0))
}

/** @param count a negative number reverses a count of the same hour */
export function countDeletions(history: DirectoryHistory, count: number, at: Instant): void {
  if (count === 0) return
  const hour = hourOf(at)
  const total = (history.deletedByHour.get(hour) ?? 0) + count
  if (total > 0) history.deletedByHour.set(hour, total)
  else history.deletedByHour.delete(hour)
}

/**
 * Why these deletions need an approval, or `undefined` if they do not. Deletions are counted by whole hours, so a day has
 * 24 to 25 of them.
 * @param base the number of records to which shares refer
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

/** Whether `known` has not yielded any of the ids for so long that the batch is discarded. */
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
