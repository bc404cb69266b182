import { ignoreRejection, readSafely } from '../base/application-calls.ts'
import { timedOut, within } from '../base/clock.ts'
import { DropEvent } from '../base/errors.ts'
import { formatInstant } from '../base/instant.ts'
import type { Logger } from '../base/logger.ts'
import { RenewedLease } from '../base/renewed-lease.ts'
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

/** Runs handlers for at most `handlerTimeoutSeconds`. While the handlers run, renews the lease of the claim. */
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
        const renewalsEnded = lease.end()
        if (result.outcome === 'handler-failed') await renewalsEnded
        return await settle(result)
      }
      lease.abort('handlerTimeoutSeconds have passed')
      // If the handler succeeds later, and no other process has begun the message, the ledger records the message as
      // done.
      ignoreRejection(running.then(settle))
      return { outcome: 'handler-failed', reason: 'handler-timeout' }
    } finally {
      this.#leases.delete(lease)
      void lease.end()
    }
  }

  get size(): number {
    return this.#leases.size
  }

  abortAll(reason: string): void {
    for (const lease of this.#leases) lease.abort(reason)
  }
}

/**
 * The lease of a claim while its handlers run, with the handlers' signal. If another process has the claim, the signal
 * aborts. If the store does not renew the claim in time, the signal also aborts, because another process can take the
 * claim:
 *
 *     requested        requested                   requested + leaseSeconds
 *       ├─ begin ─┤      ├─ renew ─┤     ├─ renew ───┤ abort
 *       ├─ lease, at least ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┤ others: begin → begun
 */
class Lease {
  readonly #controller = new AbortController()
  /** The handlers' signal. */
  readonly signal = this.#controller.signal
  readonly #lease: RenewedLease

  constructor(config: OpenConfiguration, { claim, requestedAtMs }: BegunClaim, log: Logger) {
    const { ledger, clock, leaseSeconds, storeTimeoutSeconds } = config
    this.#lease = new RenewedLease({
      clock,
      leaseMs: leaseSeconds * 1000,
      requestedAtMs,
      timeoutMs: storeTimeoutSeconds * 1000,
      renew: () => ledger.renew(claim, leaseSeconds),
      onLost: (lapsed) => {
        const what = lapsed ? 'the lease ran out' : 'the lease was lost'
        const why = lapsed ? 'the store did not renew it in time' : 'another process has the message now'
        log.error({ messageId: claim.messageId }, `${what}: ${why}`)
        this.abort(what)
      },
    })
  }

  /** Stops the renewals. The promise resolves when no renewal is under way. */
  end(): Promise<unknown> {
    return this.#lease.end()
  }

  /** If the signal has aborted or the lease has lapsed, throws the signal's reason. */
  check(): void {
    this.#lease.check()
    this.signal.throwIfAborted()
  }

  /** Stops the renewals, and aborts the handlers' signal. */
  abort(reason: string): void {
    void this.end()
    this.#controller.abort(new DOMException(`scalekit-scim: ${reason}`, 'AbortError'))
  }
}

/**
 * Runs the handlers of an event one after another. Never rejects.
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
      const returned = await handler(ctx)
      if (Array.isArray(returned)) await settleList(returned)
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
  const ctx = { source, idempotencyKey, occurredAt: formatInstant(occurredAt), deadline, signal, log }
  return directoryId === undefined ? ctx : { ...ctx, directoryId }
}

/**
 * Waits for each promise of a returned list, such as `groups.map(save)`. If a promise rejects, throws its reason after
 * all promises have settled.
 */
async function settleList(returned: unknown[]): Promise<void> {
  const results = await Promise.allSettled(returned)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
