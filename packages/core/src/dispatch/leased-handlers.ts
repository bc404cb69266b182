import { ignoreRejection } from '../base/call-back.ts'
import { timedOut, within } from '../base/clock.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { RoutedHandler } from '../events/router.ts'
import type { BegunClaim } from './claims.ts'
import type { Delivery } from './delivery.ts'
import { type HandlerResult, handlerContext, runHandlers } from './handler-run.ts'
import { Lease } from './lease.ts'
import type { OpenConfiguration } from './open-store.ts'

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
      lease.abort('handlerTimeoutSeconds are over')
      // If the handler still succeeds, its message is recorded as done, unless another process has begun the message by
      // then.
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
