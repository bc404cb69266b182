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
  /** Aborts when the pass ends early: cancelled, its lease lost, or the dispatcher closed. */
  signal: AbortSignal
  /** Aborts after `signal`, when the pass no longer waits for running events. */
  graceOver: AbortSignal
  /** @throws if the pass must not apply anything any more */
  requireRunning(): void
}

export interface EventRequest {
  event: DirectoryEvent
  /** The store's time before the record was read. */
  observedAt: Instant
  /** @default the batch's directory */
  directoryId?: string
  /** Not called if the dispatcher was closed meanwhile. */
  ended(result: Result): void
}

/** The events of one walk over a directory. */
export interface EventBatch {
  /** Waits for a free slot, not for the event. */
  add(request: EventRequest): Promise<void>
  /** Waits for all events. */
  drained(): Promise<void>
}

/** All other outcomes count as failed. */
const resultOf: Readonly<Partial<Record<DispatchOutcomeName, Result>>> = {
  processed: 'applied',
  duplicate: 'applied',
  stale: 'stale',
  dropped: 'dropped',
  unhandled: 'unhandled',
}
/** Per batch. If a whole table is missing, every event fails for the same reason. */
const loggedAtMost = 10

/** Dispatches the events of a pass, with a limit over all its directories. */
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

  /** Aborts when the dispatcher was closed. */
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
        // After an abort, nobody needs this slot.
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

  /** Logs the same fields as a webhook's attempt: names and ids, no values. */
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

  /** Repeats under the same key if the store was unavailable for a moment, or once if the event's lease was lost. */
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
      // A process that was suspended meanwhile may have lost the pass's lease, and the record may be outdated.
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

/** A semaphore: first come, first served. */
class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Returns nothing if a slot was free. */
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
