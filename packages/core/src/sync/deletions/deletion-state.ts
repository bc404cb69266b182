import { type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import type { StickyReason } from '../report.ts'

// What an organization's deletions of one kind (users or groups) were, and which of them wait for a person. The limits
// count over days, and what is held stays held, so both outlive the pass. Every time is the store's.

export interface DeletionState {
  /** Every directory that the organization ever had, by its id. */
  directories: Map<string, DirectoryHistory>
  batches: HeldBatch[]
  /** Organizations for which `known` yielded the same ids, and when it did so last. */
  sharedWith: Map<string, Instant>
}

export interface DirectoryHistory {
  /**
   * The history begins here: older records of the application were not judged yet, and nothing tells what is usual.
   * `always` once a full pass has judged all; `undefined` before any.
   */
  from?: Instant | undefined
  /** Deletions that nobody approved, by the hour since 1970. */
  deletedByHour: Map<number, number>
  /** Of those, the ones whose handler failed or dropped the event. They are tried again, and not counted again. */
  tried: Set<string>
  /** The largest number of records that the application had of the directory, without held ones, by the day since 1970. */
  knownByDay: Map<number, number>
}

/** Deletions that one pass held together, under one approval. */
export interface HeldBatch {
  /** Stays the same while ids leave the batch. */
  approval: string
  /** The directory whose pass held them, or found them missing last. */
  directoryId: string
  reason: StickyReason
  heldAt: Instant
  approvedAt?: Instant | undefined
  /** When `known` yielded one of the ids last. */
  yieldedAt: Instant
  /** The first ids are open: known to the application and missing from the directory. `known` did not yield the others. */
  open: number
  ids: readonly string[]
}

export interface DeletionLimits {
  /** Deletions of one kind in 24 hours that need no approval, however small the directory is. */
  maxCount: number
  /** The share of a directory's users, or groups, for which the same holds. */
  maxShare: number
}

/** Before every record. */
export const always: Instant = '0'.repeat(19)
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

/** Forgets counts and shared ids from before the period, and approvals that have lapsed. */
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

/** The largest count of the period, which does not shrink with what was deleted. */
export function largestKnown({ knownByDay }: DirectoryHistory): number {
  return Math.max(0, ...knownByDay.values())
}

export function noteKnown(history: DirectoryHistory, count: number, now: Instant): void {
  const day = dayOf(now)
  history.knownByDay.set(day, Math.max(count, history.knownByDay.get(day) ?? 0))
}

/** @param count below zero takes back what was counted in the same hour */
export function countDeletions(history: DirectoryHistory, count: number, at: Instant): void {
  if (count === 0) return
  const hour = hourOf(at)
  const total = (history.deletedByHour.get(hour) ?? 0) + count
  if (total > 0) history.deletedByHour.set(hour, total)
  else history.deletedByHour.delete(hour)
}

/**
 * Why so many more deletions need an approval; `undefined` if they do not. A day is counted by whole hours, so it has
 * 24 to 25 of them.
 * @param base the number of records that shares are taken of
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

/** Whether `known` has not yielded any of the ids for so long that nobody waits for a decision any more. */
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
