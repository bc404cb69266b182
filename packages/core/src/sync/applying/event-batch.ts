import { randomUUID } from 'node:crypto'
import type {
  DirectoryEvent,
  DispatchOptions,
  DispatchOutcome,
  DispatchOutcomeName,
} from '@scalekit-scim/core'
import { errorFields, type Instant, omitUndefined } from '@scalekit-scim/core/internal'
import type { SyncConfiguration } from '../configure.ts'
import type { Result } from '../reporting/directory-report.ts'
import { pauseForStore, untilAborted } from '../waiting.ts'

/** The parts of a pass that its events need. */
export interface PassControl {
  config: SyncConfiguration
  dryRun: boolean
  /**
   * Aborts when somebody cancels the pass, when the pass loses its lease, or when an event finds the dispatcher closed.
   */
  signal: AbortSignal
  /** Aborts when the pass stops waiting for running events. Always aborts after `signal`. */
  graceOver: AbortSignal
  /** If the pass may have lost its lease, aborts `signal`. */
  checkLease(): void
  /** Aborts `signal`, because an event found the dispatcher closed. */
  endForClosedDispatcher(): void
  /** Limits the concurrent events of all directories. */
  slots: Slots
}

export interface EventRequest {
  event: DirectoryEvent
  /** The store's time before the reading of the record. */
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
/** How many failures a batch logs. If a table is missing, for example, every event fails for the same reason. */
const loggedAtMost = 10

/** Dispatches events of one directory. The pass can wait until all of them have ended. */
export class EventBatch {
  readonly #pass: PassControl
  readonly #running = new Set<Promise<void>>()
  #failures = 0

  constructor(pass: PassControl) {
    this.#pass = pass
  }

  /** Waits for a free slot, then starts the event. Resolves before the event has ended. */
  async add(request: EventRequest): Promise<void> {
    const { dryRun, signal, slots } = this.#pass
    if (dryRun) return request.ended('applied')
    const slot = slots.take()
    // If the pass aborts here, nothing gives the slot back. After an abort, no event needs a slot.
    if (slot) await untilAborted(slot, signal)
    this.#pass.checkLease()
    if (signal.aborted) slots.give()
    signal.throwIfAborted()
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
   * tries again once. All tries use the same key.
   */
  async #dispatch({ event, observedAt, directoryId }: EventRequest): Promise<DispatchOutcome> {
    const { config, signal } = this.#pass
    const idempotencyKey = `sync_${randomUUID()}`
    const options: DispatchOptions = { source: 'sync', idempotencyKey, observedAt, directoryId }
    let wasLost = false
    for (let failures = 0; ; ) {
      const ended = await this.#dispatchOnce(event, options)
      if (ended.outcome === 'lost' && !wasLost) wasLost = true
      else if (ended.outcome !== 'store-unavailable') return ended
      else if (!(await pauseForStore(config.clock, failures++, signal))) return ended
      // If the process was suspended meanwhile, the pass may have lost its lease. Then the record may be outdated.
      this.#pass.checkLease()
      if (signal.aborted) return ended
    }
  }

  async #dispatchOnce(event: DirectoryEvent, options: DispatchOptions): Promise<DispatchOutcome> {
    try {
      return await this.#pass.config.dispatcher.dispatch(event, options)
    } catch (error) {
      // The dispatcher rejects invalid events, such as a record without an id.
      return { outcome: 'handler-failed', error }
    }
  }
}

/** A semaphore. Callers get slots in the order of their calls. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /**
   * Takes a slot. If a slot is free, returns nothing. Otherwise, returns a promise that resolves when the caller has
   * the slot.
   */
  take(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
