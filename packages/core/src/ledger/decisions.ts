import { type Instant, newest, plusSeconds } from '../base/instant.ts'
import type { BeginAnswer, BeginRequest, Claim } from './ledger.ts'

// The decisions of a ledger, separate from its storage. If a store cannot run these rules itself, its driver reads the
// state, calls these functions, and writes the result. All times are times of the store's clock.

/** State of a message: claimed until the lease lapses, or done until the retention ends. */
export interface MessageState {
  token: string
  done: boolean
  untilMs: number
}

/** State of a resource: its last applied event, and the token that has the turn. */
export interface ResourceState {
  fence: number
  watermark?: Instant
  tombstone?: boolean
  /** The store's time of the last commit. */
  appliedAt?: Instant
  turn?: { token: string; untilMs: number } | undefined
}

export interface StoreTime {
  ms: number
  instant: Instant
}

/** Returns a fence that is at least `atLeast`, and higher than every fence that it has returned before. */
export type NextFence = (atLeast: number) => number

/**
 * If an event's time is further ahead than this limit, the store's time is used instead. Without this limit, one event
 * from a wrong clock would make all later events stale.
 */
const aheadSeconds = 300
/**
 * A sync's watermark is at most this far behind the time at which the sync read the record. So the ledger applies a
 * webhook that is newer than the record but arrives later.
 */
export const syncMarginSeconds = 60

/**
 * Creates the sequence of fences for one ledger. With a clock in milliseconds, many `begin` calls can have the same
 * time. If a resource is deleted between two such calls, only this sequence makes their fences different.
 */
export function fenceSequence(): NextFence {
  let last = 0
  return (atLeast) => {
    last = Math.max(last + 1, atLeast)
    return last
  }
}

/** @param nextFence the ledger's own {@link fenceSequence} */
export function decideBegin(
  request: BeginRequest,
  message: MessageState | undefined,
  resource: ResourceState | undefined,
  now: StoreTime,
  nextFence: NextFence,
): BeginAnswer {
  const known = message && message.untilMs > now.ms ? message : undefined
  const turn = resource?.turn && resource.turn.untilMs > now.ms ? resource.turn : undefined
  const ours = known !== undefined && !known.done && known.token === request.token

  if (!ours) {
    if (known) return { state: known.done ? 'duplicate' : 'in-flight' }
    if (turn && turn.token !== request.token) return { state: 'busy' }
    if (resource && isStale(request, resource, now)) return { state: 'stale' }
  }
  // A fence is at least the time in microseconds. So a store that lost its data never repeats a fence.
  const microseconds = Number(now.instant.slice(0, -3))
  return {
    state: 'begun',
    fence: ours && resource ? resource.fence : nextFence(Math.max((resource?.fence ?? 0) + 1, microseconds)),
    occurredAt: watermarkAfter(request, resource, now),
  }
}

/** If another token has claimed the message, or has since begun an event of the resource, returns 'lost'. */
export function decideCommit(
  claim: Claim,
  message: MessageState | undefined,
  resource: ResourceState | undefined,
  now: StoreTime,
): 'ok' | 'repeated' | 'lost' {
  const known = unexpired(message, now)
  if (known && known.token !== claim.token) return 'lost'
  if (known?.done) return 'repeated'
  if (claim.resource !== undefined && resource && resource.fence !== claim.fence) return 'lost'
  return 'ok'
}

/**
 * Whether the claim can be renewed. If no other token has begun since, a missing claim can be renewed. A released claim
 * cannot be renewed.
 */
export function decideRenew(
  claim: Claim,
  message: MessageState | undefined,
  resource: ResourceState | undefined,
  now: StoreTime,
): boolean {
  const known = unexpired(message, now)
  if (known && (known.done || known.token !== claim.token)) return false
  if (claim.resource === undefined || !resource) return true
  return resource.fence === claim.fence && resource.turn?.token === claim.token
}

/**
 * For a done message after its retention, returns `undefined`. Returns a lapsed claim, because the owner can still
 * renew or commit the claim.
 */
function unexpired(message: MessageState | undefined, now: StoreTime): MessageState | undefined {
  return message && (!message.done || message.untilMs > now.ms) ? message : undefined
}

/**
 * Only a strictly older event is stale, because Scalekit's own samples all have the same time. Exception: at the time
 * of a tombstone, every event except a deletion is stale.
 */
function isStale(request: BeginRequest, resource: ResourceState, now: StoreTime): boolean {
  if (resource.watermark === undefined) return false
  if (request.observedAt !== undefined)
    return (resource.appliedAt ?? resource.watermark) >= request.observedAt
  const occurredAt = effectiveTime(request, now)
  if (occurredAt === resource.watermark) return resource.tombstone === true && request.deletion !== true
  return occurredAt < resource.watermark
}

function watermarkAfter(request: BeginRequest, resource: ResourceState | undefined, now: StoreTime): Instant {
  if (request.observedAt === undefined) return effectiveTime(request, now)
  return newest(resource?.watermark ?? '', syncTime(request.occurredAt, request.observedAt))
}

/**
 * The time of a sync's event. The time is never newer than the time at which the sync read the record, and at most 60 s
 * older.
 */
export function syncTime(occurredAt: Instant | undefined, observedAt: Instant): Instant {
  const updatedAt = occurredAt !== undefined && occurredAt < observedAt ? occurredAt : observedAt
  return newest(updatedAt, plusSeconds(observedAt, -syncMarginSeconds))
}

function effectiveTime({ occurredAt }: BeginRequest, now: StoreTime): Instant {
  if (occurredAt === undefined) return now.instant
  // Most events are in the past, and this comparison costs less than the addition.
  const isUsable = occurredAt <= now.instant || occurredAt <= plusSeconds(now.instant, aheadSeconds)
  return isUsable ? occurredAt : now.instant
}
