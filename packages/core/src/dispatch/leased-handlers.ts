import { ignoreRejection } from '../base/call-back.ts'
import { timedOut, within } from '../base/clock.ts'
import { DropEvent } from '../base/errors.ts'
import { formatInstant } from '../base/instant.ts'
import { readSafely } from '../base/read-safely.ts'
import { directoryIdOf } from '../events/directory-events.ts'
import type { HandlerContext } from '../events/handlers.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { RoutedHandler } from '../events/router.ts'
import type { Claim } from '../ledger/ledger.ts'
import type { BegunClaim } from './claims.ts'
import type { Delivery } from './delivery.ts'
import { Lease } from './lease.ts'
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
      const running = runHandlers(handlers, handlerContext(delivery, begun.claim, deadline, lease.signal))
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

  abortAll(reason: string): void {
    for (const lease of this.#leases) lease.abort(reason)
  }
}

/** Runs the handlers of an event one after the other. Never rejects. */
async function runHandlers(handlers: RoutedHandler[], ctx: HandlerContext): Promise<HandlerResult> {
  try {
    for (const handler of handlers) await settleList(await handler(ctx))
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
