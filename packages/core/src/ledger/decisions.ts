import { type Instant, newest, plusSeconds } from '../base/instant.ts'
import type { BeginAnswer, BeginRequest, Claim } from './ledger.ts'

// The decisions of a ledger, separate from its storage. A driver whose store cannot decide reads the state, decides
// here, and writes. All times are the store's.

/** State of a message: claimed until the lease lapses, or done until the retention ends. */
export interface MessageState {
  token: string
  done: boolean
  untilMs: number
}

/** State of a resource: what was applied to it, and who holds its turn. */
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
 * An event that is further ahead counts as happening now, so that a skewed clock does not shut out all later events.
 */
const aheadSeconds = 300
/** A sync's watermark stays this far behind its reading, so that it never beats a webhook that is on its way. */
export const syncMarginSeconds = 60

/**
 * The fences of one ledger. A clock that ticks in milliseconds gives many begins the same time. If a resource is
 * forgotten between two of them, nothing stored keeps their fences apart.
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
  // Fences rise with the clock too, so that a store that lost its data never repeats one.
  const microseconds = Number(now.instant.slice(0, -3))
  return {
    state: 'begun',
    fence: ours && resource ? resource.fence : nextFence(Math.max((resource?.fence ?? 0) + 1, microseconds)),
    occurredAt: watermarkAfter(request, resource, now),
  }
}

/** 'ok' if nobody else holds the message and nobody has begun on the resource since. */
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

/** Whether the claim is still ours. An absent claim is ours if nobody else has begun since. A released claim is not. */
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

/** A lapsed claim still counts for its owner, but a done message counts only until its retention ends. */
function unexpired(message: MessageState | undefined, now: StoreTime): MessageState | undefined {
  return message && (!message.done || message.untilMs > now.ms) ? message : undefined
}

/** Only a strictly older event is stale, because Scalekit's own samples share one time. A tombstone wins a tie. */
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

/** The time of a sync's event: never newer than its reading, and at most 60 s older. */
export function syncTime(occurredAt: Instant | undefined, observedAt: Instant): Instant {
  const updatedAt = occurredAt !== undefined && occurredAt < observedAt ? occurredAt : observedAt
  return newest(updatedAt, plusSeconds(observedAt, -syncMarginSeconds))
}

function effectiveTime({ occurredAt }: BeginRequest, now: StoreTime): Instant {
  const isUsable = occurredAt !== undefined && occurredAt <= plusSeconds(now.instant, aheadSeconds)
  return isUsable ? occurredAt : now.instant
}
