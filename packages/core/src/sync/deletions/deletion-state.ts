import { type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import type { DeletionState, DirectoryHistory, HeldBatch } from './state-format.ts'

export interface DeletionLimits {
  /** The number of deletions of one kind within 24 hours that do not need an approval. */
  maxCount: number
  /** The same limit, as a share of the directory's users or groups. */
  maxShare: number
}

const hourSeconds = 3600
const daySeconds = 86_400
const periodDays = 30
export const approvalDays = 7
const unseenSeconds = 90 * daySeconds

export function emptyHistory(): DirectoryHistory {
  return { from: undefined, deletedByHour: new Map(), tried: new Set(), knownByDay: new Map() }
}

/** Removes expired approvals. Also removes counts, and entries of `sharedWith`, that are older than 30 days. */
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

/** The largest number of known records within 30 days. Deletions do not reduce this number. */
export function largestKnown({ knownByDay }: DirectoryHistory): number {
  return Math.max(0, ...knownByDay.values())
}

export function noteKnown(history: DirectoryHistory, count: number, now: Instant): void {
  const day = dayOf(now)
  history.knownByDay.set(day, Math.max(count, history.knownByDay.get(day) ?? 0))
}

/** @param count A negative count reverses an earlier count of the same hour */
export function countDeletions(history: DirectoryHistory, count: number, at: Instant): void {
  if (count === 0) return
  const hour = hourOf(at)
  const total = (history.deletedByHour.get(hour) ?? 0) + count
  if (total > 0) history.deletedByHour.set(hour, total)
  else history.deletedByHour.delete(hour)
}

/**
 * Returns why these deletions need an approval, or `undefined` for deletions within the limits. Counts are per whole
 * hour, so a daily limit covers 24 to 25 hours.
 * @param base the number of records to which `maxShare` applies
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

/** Whether `known` has not yielded any of the ids for 90 days. If `true`, the pass discards the batch. */
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
