import { randomBytes } from 'node:crypto'
import { delay, timedOut, within } from '../base/clock.ts'
import { StoreTimeoutError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { DispatcherConfiguration } from '../config/configure.ts'
import { isDeletion, isDirectoryEvent } from '../events/events.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { BeginAnswer, BeginRequest, Claim, Ledger } from '../ledger/ledger.ts'
import { type Delivery, leftMs } from './delivery.ts'

type ClaimsOptions = Pick<
  DispatcherConfiguration,
  'ledger' | 'clock' | 'leaseSeconds' | 'storeTimeoutSeconds'
>

const pollFromMs = 10
const pollToMs = 250

/** A claim, and when it was asked for: its lease ends no earlier than `leaseSeconds` later. */
export interface Begun {
  claim: Claim
  askedAtMs: number
}

type Failed = {
  error: unknown
  /** The store still had time, but the deadline had come. */
  cutByDeadline?: true
}

/** Asks the ledger for messages, waits while others have them, and gives back what is not wanted any more. */
export class Claims {
  readonly #options: ClaimsOptions
  readonly #closing: AbortSignal

  constructor(options: ClaimsOptions, closing: AbortSignal) {
    this.#options = options
    this.#closing = closing
  }

  /** The claim, or what the event is answered without one. Waits no longer than to the deadline. */
  async begin(delivery: Delivery, resource: string | undefined): Promise<Begun | DispatchOutcome> {
    const { clock, leaseSeconds } = this.#options
    const { event, occurredAt, observedAt, idempotencyKey: messageId } = delivery
    const deletion = isDirectoryEvent(event) && isDeletion(event)
    const request: BeginRequest = {
      token: nextToken(),
      messageId,
      deletion,
      leaseSeconds,
      ...(resource === undefined ? {} : { resource }),
      ...(occurredAt === undefined ? {} : { occurredAt }),
      ...(observedAt === undefined ? {} : { observedAt }),
    }
    let held: 'in-flight' | 'busy' | undefined
    for (let pauseMs = pollFromMs; ; pauseMs = Math.min(pauseMs * 2, pollToMs)) {
      const askedAtMs = clock.monotonic()
      const answer = await this.#ask(request, delivery)
      if ('error' in answer) {
        // A store that has answered well until the deadline has not failed.
        if (held && answer.cutByDeadline) return { outcome: held }
        return { outcome: 'store-unavailable', error: answer.error }
      }
      if (answer.state === 'begun') return { claim: claimOf(request, answer), askedAtMs }
      if (answer.state === 'duplicate' || answer.state === 'stale') return { outcome: answer.state }

      if (answer.state !== 'in-flight' && answer.state !== 'busy') {
        return { outcome: 'store-unavailable', error: new Error('the ledger gave an answer that is none') }
      }
      held = answer.state
      await delay(clock, Math.min(leftMs(delivery, clock), pauseMs * (0.5 + Math.random())), this.#closing)
      if (this.#closing.aborted) return { outcome: 'closed' }
      if (leftMs(delivery, clock) <= 0) return { outcome: held }
    }
  }

  /** One question to the store, under our own deadline. A claim that comes after it is given back. */
  async #ask(request: BeginRequest, delivery: Delivery): Promise<BeginAnswer | Failed> {
    const { ledger, clock, storeTimeoutSeconds } = this.#options
    const left = Math.max(leftMs(delivery, clock), 1)
    const storeTimeoutMs = storeTimeoutSeconds * 1000
    const asked = begin(ledger, request)
    try {
      const answer = await within(clock, asked, Math.min(storeTimeoutMs, left))
      if (answer !== timedOut) return answer
    } catch (error) {
      return { error }
    }
    asked.then(
      (answer) => {
        if (answer.state === 'begun') void this.release(claimOf(request, answer), delivery.log)
      },
      () => {},
    )
    const error = new StoreTimeoutError()
    return left < storeTimeoutMs ? { error, cutByDeadline: true } : { error }
  }

  /** Gives a claim back. Where the store does not answer, the claim lapses with its lease. */
  async release(claim: Claim, log: Logger): Promise<void> {
    const { ledger, clock, storeTimeoutSeconds } = this.#options
    const released = await within(clock, release(ledger, claim), storeTimeoutSeconds * 1000).catch(
      () => timedOut,
    )
    if (released === timedOut) {
      log.warn({ messageId: claim.messageId }, 'the claim could not be released: it lapses with its lease')
    }
  }
}

function claimOf(request: BeginRequest, answer: BeginAnswer & { state: 'begun' }): Claim {
  const { token, messageId, resource, deletion = false } = request
  const { fence, occurredAt } = answer
  return { token, messageId, fence, occurredAt, deletion, ...(resource === undefined ? {} : { resource }) }
}

/** One for each try at a message, unlike any other process's. Short, because a store keeps it with what is done. */
const processTag = randomBytes(9).toString('base64url')
let tokens = 0
function nextToken(): string {
  tokens++
  return `${processTag}.${tokens.toString(36)}`
}

// A ledger of the application's own may throw where it ought to reject.
async function begin(ledger: Ledger, request: BeginRequest): Promise<BeginAnswer> {
  return ledger.begin(request)
}

async function release(ledger: Ledger, claim: Claim): Promise<void> {
  return ledger.release(claim)
}
