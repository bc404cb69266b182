import {
  decideBegin,
  decideCommit,
  decideRenew,
  type MessageState,
  type NextFence,
  type ResourceState,
  type StoreTime,
} from './decisions.ts'
import { wholeMs } from './driver.ts'
import type { BeginAnswer, BeginRequest, Claim, Retention } from './ledger.ts'

// The methods of a ledger whose store cannot run the rules of decisions.ts. Each function takes the state that was
// read. The function returns the answer and the states to write, in sequence.

/** The ids of the rows that a ledger method reads and writes. */
export type ClaimIds = Pick<Claim, 'token' | 'messageId' | 'resource'>

/** The stored state of a message and its resource. If a state is missing or has expired, it is `undefined`. */
export interface Seen {
  message: MessageState | undefined
  resource: ResourceState | undefined
  now: StoreTime
}

/**
 * A new state of a message ('m') or a resource ('r'). A message without a state is deleted. For a resource without
 * `expiresMs`, the driver sets the expiry, because no event was applied to the resource.
 */
export type Write =
  | { kind: 'm'; id: string; state: MessageState | undefined; expiresMs?: number | undefined }
  | { kind: 'r'; id: string; state: ResourceState; expiresMs?: number | undefined }

export interface Step<Answer> {
  answer: Answer
  writes?: Write[]
}

/** @param nextFence the ledger's own sequence of fences */
export function begin(request: BeginRequest, seen: Seen, nextFence: NextFence): Step<BeginAnswer> {
  const answer = decideBegin(request, seen.message, seen.resource, seen.now, nextFence)
  if (answer.state !== 'begun') return { answer }
  return { answer, writes: claimed(request, answer.fence, seen, request.leaseSeconds) }
}

export function renew(claim: Claim, seen: Seen, leaseSeconds: number): Step<boolean> {
  if (!decideRenew(claim, seen.message, seen.resource, seen.now)) return { answer: false }
  return { answer: true, writes: claimed(claim, claim.fence, seen, leaseSeconds) }
}

export function commit(claim: Claim, seen: Seen, retention: Retention): Step<'ok' | 'lost'> {
  const { now } = seen
  const decision = decideCommit(claim, seen.message, seen.resource, now)
  if (decision !== 'ok') return { answer: decision === 'lost' ? 'lost' : 'ok' }
  const { token, messageId, resource: id, fence, occurredAt: watermark, deletion: tombstone } = claim
  const untilMs = now.ms + wholeMs(retention.retentionSeconds)
  const done = retention.retentionSeconds > 0 ? { token, done: true, untilMs } : undefined
  const message: Write = { kind: 'm', id: messageId, state: done, expiresMs: untilMs }
  if (id === undefined) return { answer: 'ok', writes: [message] }
  const applied: ResourceState = { fence, watermark, tombstone, appliedAt: now.instant }
  const expiresMs = now.ms + wholeMs(retention.watermarkRetentionSeconds)
  return { answer: 'ok', writes: [{ kind: 'r', id, state: applied, expiresMs }, message] }
}

/**
 * Releases the claim and the turn. Does not delete the fence, so that a handler that lost the turn can detect the loss.
 */
export function release(claim: Claim, { message, resource }: Seen): Step<void> {
  const { token, messageId, resource: id } = claim
  const writes: Write[] = []
  if (id !== undefined && resource?.turn?.token === token) {
    writes.push({ kind: 'r', id, state: { ...resource, turn: undefined } })
  }
  if (message?.token === token && !message.done) writes.push({ kind: 'm', id: messageId, state: undefined })
  return { answer: undefined, writes }
}

function claimed(ids: ClaimIds, fence: number, { resource, now }: Seen, leaseSeconds: number): Write[] {
  const { token, messageId, resource: id } = ids
  const untilMs = now.ms + wholeMs(leaseSeconds)
  const claim = { token, done: false, untilMs }
  const message: Write = { kind: 'm', id: messageId, state: claim, expiresMs: untilMs }
  if (id === undefined) return [message]
  // The resource comes first. If a store writes only the resource, no process has a claim.
  return [{ kind: 'r', id, state: { ...resource, fence, turn: { token, untilMs } } }, message]
}
