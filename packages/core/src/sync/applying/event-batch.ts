import type {
  DirectoryEvent,
  DispatchOptions,
  DispatchOutcome,
  DispatchOutcomeName,
} from '@scalekit-scim/core'
import { errorFields, type Instant, omitUndefined, randomnessOf } from '@scalekit-scim/core/internal'
import type { PassContext } from '../pass/pass-context.ts'
import type { Result } from '../reporting/directory-report.ts'
import { pauseForStore, untilAborted } from '../waiting.ts'

export interface EventRequest {
  event: DirectoryEvent
  /** The store's time before the sync read the record. */
  observedAt: Instant
  directoryId: string
  /** Receives the result. If the dispatcher is already closed, this function is not called. */
  ended(result: Result): void
}

/** The result for each outcome. Outcomes that are not listed here count as failed. */
const resultOf: Readonly<Partial<Record<DispatchOutcomeName, Result>>> = {
  processed: 'applied',
  duplicate: 'applied',
  stale: 'stale',
  dropped: 'dropped',
  unhandled: 'unhandled',
}
/**
 * The maximum number of failures that a batch logs. If a table is missing, for example, every event fails for the same
 * reason.
 */
const loggedAtMost = 10

/** Dispatches events of one directory. The pass can wait until all the events have ended. */
export class EventBatch {
  readonly #pass: PassContext
  readonly #running = new Set<Promise<void>>()
  #failures = 0

  constructor(pass: PassContext) {
    this.#pass = pass
  }

  /** Waits for a free slot, then starts the event. Resolves before the event has ended. */
  async add(request: EventRequest): Promise<void> {
    const { dryRun, signal, slots } = this.#pass
    if (dryRun) return request.ended('applied')
    // If the pass aborts here, the slot is not released. After an abort, no event needs a slot.
    await untilAborted(slots.take(), signal)
    this.#pass.requireRunning()
    const run = this.#apply(request).finally(() => {
      slots.give()
      this.#running.delete(run)
    })
    this.#running.add(run)
  }

  /** Resolves when all events of the batch have ended. */
  async drained(): Promise<void> {
    await untilAborted(Promise.all(this.#running), this.#pass.graceOver)
  }

  async #apply(request: EventRequest): Promise<void> {
    const ended = await this.#dispatch(request)
    if (ended.outcome === 'closed') return this.#pass.endForClosedDispatcher()
    const result = resultOf[ended.outcome] ?? 'failed'
    request.ended(result)
    if (result === 'failed' && this.#failures++ < loggedAtMost) this.#logFailure(request.event, ended)
  }

  /** Logs the same fields as for a webhook attempt: names and ids, but no values. */
  #logFailure(event: DirectoryEvent, { outcome, reason, error }: DispatchOutcome): void {
    this.#pass.config.log.error(
      {
        outcome,
        type: event.type,
        organizationId: event.organization_id,
        resourceId: event.data.id,
        ...omitUndefined({ reason }),
        ...(error === undefined ? {} : errorFields(error)),
      },
      "an event of the sync failed. The dispatcher's `onOutcome` receives the error itself",
    )
  }

  /**
   * Dispatches the event. If the store is unavailable, tries again up to three times. If the event's lease is lost,
   * tries again once. All attempts use the same idempotency key.
   */
  async #dispatch({ event, observedAt, directoryId }: EventRequest): Promise<DispatchOutcome> {
    const { config, signal } = this.#pass
    const idempotencyKey = `sync_${randomnessOf(config.clock).uuid()}`
    const options: DispatchOptions = { source: 'sync', idempotencyKey, observedAt, directoryId }
    const dispatchOnce = async () => config.dispatcher.dispatch(event, options)
    // The dispatcher rejects invalid events, such as a record without an id.
    const failed = (error: unknown): DispatchOutcome => ({ outcome: 'handler-failed', error })
    let wasLost = false
    for (let failures = 0; ; ) {
      const ended = await dispatchOnce().catch(failed)
      if (ended.outcome === 'lost' && !wasLost) wasLost = true
      else if (ended.outcome !== 'store-unavailable') return ended
      else if (!(await pauseForStore(config.clock, failures++, signal))) return ended
      // If the process was suspended, the lease of the pass may have lapsed. The record can then be outdated.
      this.#pass.checkLease()
      if (signal.aborted) return ended
    }
  }
}
