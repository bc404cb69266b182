import { callAsync } from '../base/application-calls.ts'
import { delay, timedOut, within } from '../base/clock.ts'
import { StoreTimeoutError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { randomnessOf } from '../base/randomness.ts'
import { isDeletion, isDirectoryEvent } from '../events/directory-events.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { BeginAnswer, BeginRequest, Claim } from '../ledger/ledger.ts'
import type { Delivery } from './delivery.ts'
import type { OpenConfiguration } from './open-store.ts'

const firstPollMs = 10
const longestPollMs = 250

export interface BegunClaim {
  claim: Claim
  /** The claim's lease ends `leaseSeconds` after this time, or later. */
  requestedAtMs: number
}

interface FailedCall {
  error: unknown
  /** Whether the delivery's deadline ended the call before `storeTimeoutSeconds` did. */
  cutByDeadline?: boolean
}

/**
 * Claims a message in the ledger. If another process has the message or the resource's turn, waits, at most until the
 * deadline. Returns the claim. If the message cannot be claimed, returns the event's outcome. The lease of a returned
 * claim has not lapsed.
 */
export async function beginClaim(
  config: OpenConfiguration,
  delivery: Delivery,
  resource: string | undefined,
  closing: AbortSignal,
): Promise<BegunClaim | DispatchOutcome> {
  const { clock, leaseSeconds } = config
  const { event, occurredAt, observedAt, idempotencyKey: messageId, deadline } = delivery
  const request: BeginRequest = {
    token: config.nextToken(),
    messageId,
    deletion: isDirectoryEvent(event) && isDeletion(event),
    leaseSeconds,
  }
  if (resource !== undefined) request.resource = resource
  if (occurredAt !== undefined) request.occurredAt = occurredAt
  if (observedAt !== undefined) request.observedAt = observedAt
  let heldBy: 'in-flight' | 'busy' | undefined
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const requestedAtMs = clock.monotonic()
    const answer = await callBegin(config, request, delivery)
    if ('error' in answer) {
      // The deadline ended this call. The store answered the earlier calls, so it has not failed.
      if (heldBy && answer.cutByDeadline) return { outcome: heldBy }
      return { outcome: 'store-unavailable', error: answer.error }
    }
    switch (answer.state) {
      case 'begun':
        if (clock.monotonic() - requestedAtMs < leaseSeconds * 1000) {
          return { claim: claimOf(request, answer), requestedAtMs }
        }
        // The process stalled, so the lease may have lapsed. If the message is free, the same token claims it again.
        if (deadline.leftMs > 0) continue
        await releaseClaim(config, claimOf(request, answer), delivery.log)
        return { outcome: 'busy' }
      case 'duplicate':
      case 'stale':
        return { outcome: answer.state }
      case 'in-flight':
      case 'busy':
        heldBy = answer.state
        break
      default:
        return { outcome: 'store-unavailable', error: new Error('the ledger returned an unknown answer') }
    }
    await delay(clock, Math.min(deadline.leftMs, pollMs * (0.5 + randomnessOf(clock).fraction())), closing)
    if (closing.aborted) return { outcome: 'closed' }
    if (deadline.leftMs <= 0) return { outcome: heldBy }
  }
}

/** Calls `begin` once, and waits for at most `storeTimeoutSeconds`. Releases a claim that the store grants later. */
async function callBegin(
  config: OpenConfiguration,
  request: BeginRequest,
  { deadline, log }: Delivery,
): Promise<BeginAnswer | FailedCall> {
  const { ledger, clock, storeTimeoutMs } = config
  const leftMs = Math.max(deadline.leftMs, 1)
  const isLocal = storeTimeoutMs === Number.POSITIVE_INFINITY
  const answering = callAsync(() => ledger.begin(request))
  try {
    const answer = await within(clock, answering, isLocal ? storeTimeoutMs : Math.min(storeTimeoutMs, leftMs))
    if (answer !== timedOut) return answer
  } catch (error) {
    return { error }
  }
  answering.then(
    (late) => {
      if (late.state === 'begun') void releaseClaim(config, claimOf(request, late), log)
    },
    () => {},
  )
  return { error: new StoreTimeoutError(), cutByDeadline: leftMs < storeTimeoutMs }
}

/** Releases a claim. If the store does not answer, the claim expires with its lease. */
export async function releaseClaim(
  { ledger, clock, storeTimeoutMs }: OpenConfiguration,
  claim: Claim,
  log: Logger,
): Promise<void> {
  const releasing = callAsync(() => ledger.release(claim))
  const released = await within(clock, releasing, storeTimeoutMs).catch(() => timedOut)
  if (released === timedOut) {
    log.warn(
      { messageId: claim.messageId },
      'the claim could not be released, so it expires at the end of its lease',
    )
  }
}

function claimOf(request: BeginRequest, answer: BeginAnswer & { state: 'begun' }): Claim {
  const { token, messageId, resource, deletion = false } = request
  const { fence, occurredAt } = answer
  const claim: Claim = { token, messageId, fence, occurredAt, deletion }
  if (resource !== undefined) claim.resource = resource
  return claim
}
