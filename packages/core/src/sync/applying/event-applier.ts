import { randomUUID } from 'node:crypto'
import type {
  DirectoryEvent,
  DispatchOptions,
  DispatchOutcome,
  DispatchOutcomeName,
} from '@scalekit-scim/core'
import { errorFields, type Instant, omitUndefined } from '@scalekit-scim/core/internal'
import type { SyncConfiguration } from '../configure.ts'
import type { Result } from '../reporting/directory-recorder.ts'
import { pauseForStore, untilAborted } from '../waiting.ts'

/** Tells whether a pass may still apply events. */
export interface PassControl {
  /** Aborts if the pass is cancelled, loses its lease, or finds the dispatcher closed. */
  signal: AbortSignal
  /** Aborts when the pass stops waiting for running events. Always aborts after `signal`. */
  graceOver: AbortSignal
  /** @throws if the pass must not apply further events */
  requireRunning(): void
}

export interface EventRequest {
  event: DirectoryEvent
  /** The store's time before the record was read. */
  observedAt: Instant
  /** @default the directory of the batch */
  directoryId?: string
  /** Receives the result. Not called if the dispatcher is already closed. */
  ended(result: Result): void
}

/** Events of one directory that the pass waits for together. */
export interface EventBatch {
  /** Waits for a free slot, then starts the event. Resolves before the event has ended. */
  add(request: EventRequest): Promise<void>
  /** Resolves when all events of the batch have ended. */
  drained(): Promise<void>
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
 * How many failures are logged per batch. If a table is missing, for example, every event fails for the same reason.
 */
const loggedAtMost = 10

/** Dispatches the events of a pass. One limit for concurrent events applies across all its directories. */
export class EventApplier {
  readonly #config: SyncConfiguration
  readonly #dryRun: boolean
  readonly #slots: Slots
  readonly #closed = new AbortController()

  constructor(config: SyncConfiguration, dryRun: boolean) {
    this.#config = config
    this.#dryRun = dryRun
    this.#slots = new Slots(config.eventsAtOnce)
  }

  /** Aborts when an event finds the dispatcher closed. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  open(control: PassControl, directoryId: string): EventBatch {
    const running = new Set<Promise<void>>()
    let failures = 0
    const apply = async (request: EventRequest) => {
      const ended = await this.#dispatch({ directoryId, ...request }, control)
      if (ended.outcome === 'closed') {
        this.#closed.abort(new DOMException('scalekit-scim: the dispatcher was closed', 'AbortError'))
        return
      }
      const result = resultOf[ended.outcome] ?? 'failed'
      request.ended(result)
      if (result === 'failed' && failures++ < loggedAtMost) this.#logFailure(request.event, ended)
    }
    return {
      add: async (request) => {
        if (this.#dryRun) return request.ended('applied')
        const slot = this.#slots.take()
        // If the pass aborts here, the slot is never given back. No event needs the slot after an abort.
        if (slot) await untilAborted(slot, control.signal)
        try {
          control.requireRunning()
        } catch (error) {
          this.#slots.give()
          throw error
        }
        const run = apply(request).finally(() => {
          this.#slots.give()
          running.delete(run)
        })
        running.add(run)
      },
      drained: async () => {
        await untilAborted(Promise.all(running), control.graceOver)
      },
    }
  }

  /** Logs the same fields as for a webhook attempt: names and ids, but no values. */
  #logFailure(event: DirectoryEvent, { outcome, reason, error }: DispatchOutcome): void {
    this.#config.log.error(
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
  async #dispatch(request: EventRequest, control: PassControl): Promise<DispatchOutcome> {
    const { event, observedAt, directoryId } = request
    const options: DispatchOptions = {
      source: 'sync',
      idempotencyKey: `sync_${randomUUID()}`,
      observedAt,
      ...omitUndefined({ directoryId }),
    }
    let wasLost = false
    for (let failures = 0; ; ) {
      const ended = await this.#dispatchOnce(event, options)
      if (ended.outcome === 'lost' && !wasLost) wasLost = true
      else if (ended.outcome !== 'store-unavailable') return ended
      else if (!(await pauseForStore(this.#config.clock, failures++, control.signal))) return ended
      // If the process was suspended meanwhile, the pass may have lost its lease, and the record may be outdated.
      if (!isRunning(control)) return ended
    }
  }

  async #dispatchOnce(event: DirectoryEvent, options: DispatchOptions): Promise<DispatchOutcome> {
    try {
      return await this.#config.dispatcher.dispatch(event, options)
    } catch (error) {
      // The dispatcher rejects invalid events, such as a record without an id.
      return { outcome: 'handler-failed', error }
    }
  }
}

function isRunning(control: PassControl): boolean {
  try {
    control.requireRunning()
    return true
  } catch {
    return false
  }
}

/** A semaphore. Callers get slots in the order in which they asked for one. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /**
   * Takes a slot. Returns nothing if a slot was free. Otherwise returns a promise that resolves when the slot is taken.
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
