import { type Instant, newest, plusSeconds } from '../base/instant.ts'
import type { BeginAnswer, BeginRequest, Claim } from './ledger.ts'

// The decisions of a ledger, apart from where its state is kept. Drivers whose store cannot decide read the state,
// ask here, and write. Every time is the store's.

/** What is known of a message: claimed until the lease lapses, or done until the retention ends. */
export interface MessageState {
  token: string
  done: boolean
  untilMs: number
}

/** What is known of a resource: what was applied to it, and who has its turn. */
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

/** An event from further ahead than this counts as of now: a skewed clock must not shut out all that follows. */
const aheadSeconds = 300
/** How far behind its reading a sync's watermark stays, so that it never beats a webhook on its way. */
export const syncMarginSeconds = 60

export function judgeBegin(
  request: BeginRequest,
  message: MessageState | undefined,
  resource: ResourceState | undefined,
  now: StoreTime,
): BeginAnswer {
  const known = message && message.untilMs > now.ms ? message : undefined
  const turn = resource?.turn && resource.turn.untilMs > now.ms ? resource.turn : undefined
  const ours = known !== undefined && !known.done && known.token === request.token

  if (!ours) {
    if (known) return { state: known.done ? 'duplicate' : 'in-flight' }
    if (turn && turn.token !== request.token) return { state: 'busy' }
    if (resource && isStale(request, resource, now)) return { state: 'stale' }
  }
  return {
    state: 'begun',
    fence: ours && resource ? resource.fence : nextFence(resource, now),
    occurredAt: watermarkAfter(request, resource, now),
  }
}

/** Whether a commit still stands: nobody else has the message, and nobody has begun on the resource since. */
export function judgeCommit(
  claim: Claim,
  message: MessageState | undefined,
  resource: ResourceState | undefined,
  now: StoreTime,
): 'ok' | 'repeated' | 'lost' {
  const known = message && (!message.done || message.untilMs > now.ms) ? message : undefined
  if (known && known.token !== claim.token) return 'lost'
  if (known?.done) return 'repeated'
  if (claim.resource !== undefined && resource && resource.fence !== claim.fence) return 'lost'
  return 'ok'
}

/** Whether a claim still stands, or stands again: absent, nobody else has begun since. What was released is not. */
export function judgeRenew(
  claim: Claim,
  message: MessageState | undefined,
  resource: ResourceState | undefined,
  now: StoreTime,
): boolean {
  const known = message && (!message.done || message.untilMs > now.ms) ? message : undefined
  if (known && (known.done || known.token !== claim.token)) return false
  if (claim.resource === undefined || !resource) return true
  return resource.fence === claim.fence && resource.turn?.token === claim.token
}

/** Only strictly older is stale: the reference's own samples share one time. Equal to a tombstone is stale too. */
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
  const { observedAt } = request
  const updatedAt = request.occurredAt ?? observedAt
  return newest(
    resource?.watermark ?? '',
    updatedAt < observedAt ? updatedAt : observedAt,
    plusSeconds(observedAt, -syncMarginSeconds),
  )
}

function effectiveTime(request: BeginRequest, now: StoreTime): Instant {
  const { occurredAt } = request
  return occurredAt === undefined || occurredAt > plusSeconds(now.instant, aheadSeconds)
    ? now.instant
    : occurredAt
}

/** A clock that ticks in milliseconds gives many begins one time, and no two may have one fence. */
let lastFence = 0

/** Rises with the clock too, so that a store that lost its data never gives out a fence again. */
function nextFence(resource: ResourceState | undefined, now: StoreTime): number {
  const microseconds = Number(now.instant.slice(0, -3))
  lastFence = Math.max(lastFence + 1, (resource?.fence ?? 0) + 1, microseconds)
  return lastFence
}
