import { callAsync, ignoreRejection, readSafely } from '../base/application-calls.ts'
import { type Timer, timedOut, within } from '../base/clock.ts'
import { DropEvent } from '../base/errors.ts'
import { formatInstant } from '../base/instant.ts'
import type { Logger } from '../base/logger.ts'
import { directoryIdOf } from '../events/directory-events.ts'
import type { HandlerContext } from '../events/handlers.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { RoutedHandler } from '../events/router.ts'
import type { Claim } from '../ledger/ledger.ts'
import type { BegunClaim } from './claims.ts'
import type { Delivery } from './delivery.ts'
import type { OpenConfiguration } from './open-store.ts'

/** The outcome of an event's handlers, before the claim is committed or released. */
export type HandlerResult = DispatchOutcome & { outcome: 'processed' | 'dropped' | 'handler-failed' }

/** Runs handlers for at most `handlerTimeoutSeconds`. While they run, renews the leases of their claims. */
export class LeasedHandlers {
  readonly #config: OpenConfiguration
  readonly #leases = new Set<Lease>()

  constructor(config: OpenConfiguration) {
    this.#config = config
  }

  /** @param settle Commits or releases the claim. Also called for a handler that ends after its time limit. */
  async run(
    delivery: Delivery,
    handlers: RoutedHandler[],
    begun: BegunClaim,
    settle: (result: HandlerResult) => Promise<DispatchOutcome>,
  ): Promise<DispatchOutcome> {
    const { clock, handlerTimeoutSeconds } = this.#config
    const timeoutMs = handlerTimeoutSeconds * 1000
    const lease = new Lease(this.#config, begun, delivery.log)
    this.#leases.add(lease)
    try {
      const deadline = new Date(clock.now() + Math.min(delivery.deadline.leftMs, timeoutMs))
      const ctx = handlerContext(delivery, begun.claim, deadline, lease.signal)
      const running = runHandlers(handlers, ctx, () => lease.check())
      const result = await within(clock, running, timeoutMs)
      if (result !== timedOut) {
        lease.end()
        if (result.outcome === 'handler-failed') await lease.settled()
        return await settle(result)
      }
      lease.abort('handlerTimeoutSeconds have passed')
      // The handler may still succeed. If no other process has begun the message by then, the message is recorded as
      // done.
      ignoreRejection(running.then(settle))
      return { outcome: 'handler-failed', reason: 'handler-timeout' }
    } finally {
      this.#leases.delete(lease)
      lease.end()
    }
  }

  get size(): number {
    return this.#leases.size
  }

  abortAll(reason: string): void {
    for (const lease of this.#leases) lease.abort(reason)
  }
}

/** The wait after a failed renewal. */
const retryMs = 500

/**
 * Renews a claim while its handler runs. The handler's signal aborts if another process has the claim. It also aborts
 * if the store did not renew the claim in time. Another process can then have the claim:
 *
 *     requested        requested                   requested + leaseSeconds
 *       ├─ begin ─┤      ├─ renew ─┤     ├─ renew ───┤ abort
 *       ├─ lease, at least ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┤ others: begin → begun
 */
class Lease {
  readonly #config: OpenConfiguration
  readonly #claim: Claim
  readonly #log: Logger
  readonly #controller = new AbortController()
  /** The handler's signal. */
  readonly signal = this.#controller.signal
  #timer: Timer | undefined
  #ended = false
  #endsAtMs: number
  #renewing: Promise<unknown> = Promise.resolve()

  constructor(config: OpenConfiguration, { claim, requestedAtMs }: BegunClaim, log: Logger) {
    this.#config = config
    this.#claim = claim
    this.#log = log
    this.#endsAtMs = requestedAtMs + this.#leaseMs
    this.#renewIn(requestedAtMs + this.#leaseMs / 3 - config.clock.monotonic())
  }

  /** Stops renewing, because the handler has ended. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  /** Resolves when no renewal is under way. A late renewal could otherwise take the claim again after its release. */
  async settled(): Promise<void> {
    await this.#renewing
  }

  /** Throws if the signal has aborted. Aborts the signal if the lease has lapsed: the timer may be late. */
  check(): void {
    if (this.#leftMs <= 0 && !this.#ended) this.#runOut()
    this.signal.throwIfAborted()
  }

  /** Stops renewing, and aborts the handler's signal. */
  abort(reason: string): void {
    this.end()
    this.#controller.abort(new DOMException(`scalekit-scim: ${reason}`, 'AbortError'))
  }

  get #leaseMs(): number {
    return this.#config.leaseSeconds * 1000
  }

  get #leftMs(): number {
    return this.#endsAtMs - this.#config.clock.monotonic()
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#config.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const { ledger, clock, leaseSeconds, storeTimeoutSeconds } = this.#config
    // The renewals failed, or the process stalled, for so long that it may have lost the claim.
    if (this.#leftMs <= 0) return this.#runOut()
    const requestedAtMs = clock.monotonic()
    const waitMs = Math.min(storeTimeoutSeconds * 1000, this.#leftMs)
    const renewing = callAsync(() => ledger.renew(this.#claim, leaseSeconds))
    const answer = await within(clock, renewing, waitMs).catch(() => timedOut)
    if (this.#ended) return
    if (answer === false) {
      return this.#fail('the lease was lost', 'another process has the message now')
    }
    if (answer === true) {
      this.#endsAtMs = requestedAtMs + this.#leaseMs
      return this.#renewIn(requestedAtMs + this.#leaseMs / 3 - clock.monotonic())
    }
    this.#renewIn(Math.min(this.#leaseMs / 3, retryMs, this.#leftMs))
  }

  #runOut(): void {
    this.#fail('the lease ran out', 'the store did not renew it in time')
  }

  #fail(what: string, why: string): void {
    this.#log.error({ messageId: this.#claim.messageId }, `${what}: ${why}`)
    this.abort(what)
  }
}

/**
 * Runs the handlers of an event one after the other. Never rejects.
 * @param checkLease throws if the next handler must not begin
 */
async function runHandlers(
  handlers: RoutedHandler[],
  ctx: HandlerContext,
  checkLease: () => void,
): Promise<HandlerResult> {
  try {
    for (const handler of handlers) {
      checkLease()
      await settleList(await handler(ctx))
    }
    return { outcome: 'processed' }
  } catch (error) {
    return DropEvent.is(error)
      ? { outcome: 'dropped', reason: readSafely(() => String(error.message)) ?? 'unreadable', error }
      : { outcome: 'handler-failed', error }
  }
}

function handlerContext(
  { event, source, idempotencyKey, directoryId = directoryIdOf(event), log }: Delivery,
  { occurredAt }: Claim,
  deadline: Date,
  signal: AbortSignal,
): HandlerContext {
  return {
    source,
    ...(directoryId === undefined ? {} : { directoryId }),
    idempotencyKey,
    occurredAt: formatInstant(occurredAt),
    deadline,
    signal,
    log,
  }
}

/**
 * Waits for each promise of a returned list, such as `groups.map(save)`. If one rejects, throws its reason after all
 * have settled.
 */
async function settleList(returned: unknown): Promise<void> {
  if (!Array.isArray(returned)) return
  const results = await Promise.allSettled(returned)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
