import { randomUUID } from 'node:crypto'
import type {
  Clock,
  DirectoryEvent,
  Dispatcher,
  DispatchOutcome,
  DispatchOutcomeName,
  Logger,
} from '@scalekit-scim/core'
import { errorFields } from '@scalekit-scim/core/internal'
import type { PassContext } from './pass-context.ts'
import type { Applied, Result } from './results.ts'
import { pause, Slots, untilAborted } from './waiting.ts'

interface Applying {
  dispatcher: Dispatcher
  clock: Clock
  dryRun: boolean
  /** How many events run at a time, over all directories. */
  atOnce: number
  log: Logger
}

const resultOf: Readonly<Record<DispatchOutcomeName, Result>> = {
  processed: 'applied',
  duplicate: 'applied',
  stale: 'stale',
  dropped: 'dropped',
  unhandled: 'unhandled',
  'in-flight': 'failed',
  busy: 'failed',
  deadline: 'failed',
  lost: 'failed',
  'store-unavailable': 'failed',
  closed: 'failed',
  'handler-failed': 'failed',
}
/** Of one walk: where a whole table is missing, the first of them say all. */
const loggedAtMost = 10
const storePausesMs = [500, 1000, 2000]

/** Takes events to the dispatcher, so many at a time over all directories of a pass. */
export class Application {
  readonly #options: Applying
  readonly #slots: Slots
  readonly #closed = new AbortController()

  constructor(options: Applying) {
    this.#options = options
    this.#slots = new Slots(options.atOnce)
  }

  /** Aborts when the dispatcher takes nothing any more. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** The events of one walk over a directory: `add` waits for a free slot alone, `drained` for all that was added. */
  open(
    { signal, mayGoOn, graceOver }: Pick<PassContext, 'signal' | 'mayGoOn' | 'graceOver'>,
    directoryId: string,
  ): Batch {
    const running = new Set<Promise<void>>()
    let failures = 0
    const failed = (event: DirectoryEvent, ended: DispatchOutcome) => {
      if (failures++ < loggedAtMost) this.#logFailure(event, ended)
    }
    return {
      add: async (event, applied) => {
        if (this.#options.dryRun) return applied.ended('applied')
        const slot = this.#slots.take()
        // Of a pass that ends nobody wants the slot that comes late.
        if (slot) await untilAborted(slot, signal)
        try {
          mayGoOn()
        } catch (error) {
          this.#slots.give()
          throw error
        }
        const run = this.#apply({ directoryId, ...applied, event, signal, mayGoOn, failed }).finally(() => {
          this.#slots.give()
          running.delete(run)
        })
        running.add(run)
      },
      drained: async () => {
        await untilAborted(Promise.all(running), graceOver)
      },
    }
  }

  async #apply(running: Running): Promise<void> {
    const ended = await this.#dispatch(running)
    if (ended.outcome === 'closed') {
      this.#closed.abort(new DOMException('scalekit-scim: the dispatcher was closed', 'AbortError'))
      return
    }
    const result = resultOf[ended.outcome]
    running.ended(result)
    if (result === 'failed') running.failed(running.event, ended)
  }

  /** As a webhook's attempt is logged: names, no values. */
  #logFailure(event: DirectoryEvent, { outcome, reason, error }: DispatchOutcome): void {
    this.#options.log.error(
      {
        outcome,
        type: event.type,
        organizationId: event.organization_id,
        resourceId: event.data.id,
        ...(reason === undefined ? {} : { reason }),
        ...(error === undefined ? {} : errorFields(error)),
      },
      "an event of the sync failed. The error itself goes to the dispatcher's `onOutcome`",
    )
  }

  /** What may pass is tried again, under one key: a store that is away for a moment, and a lease that was lost. */
  async #dispatch(running: Running): Promise<DispatchOutcome> {
    const { event, observedAt, directoryId, signal } = running
    const idempotencyKey = `sync_${randomUUID()}`
    const options = { source: 'sync', idempotencyKey, observedAt, directoryId } as const
    let lost = false
    for (let tries = 0; ; ) {
      const ended = await this.#ask(event, options)
      const pauseMs = storePausesMs[tries]
      if (ended.outcome === 'lost' && !lost) {
        lost = true
      } else if (ended.outcome === 'store-unavailable' && pauseMs !== undefined) {
        tries++
        await pause(this.#options.clock, pauseMs * (0.5 + Math.random()), signal)
      } else return ended
      // A process that was stopped meanwhile may have lost the pass's lease, and what it read may be old.
      if (!isHeld(running)) return ended
    }
  }

  async #ask(
    event: DirectoryEvent,
    options: Parameters<Dispatcher['dispatch']>[1],
  ): Promise<DispatchOutcome> {
    try {
      return await this.#options.dispatcher.dispatch(event, options)
    } catch (error) {
      // No usable event: a record without an id, say.
      return { outcome: 'handler-failed', error }
    }
  }
}

function isHeld({ mayGoOn }: Running): boolean {
  try {
    mayGoOn()
    return true
  } catch {
    return false
  }
}

interface Running extends Applied {
  event: DirectoryEvent
  directoryId: string
  signal: AbortSignal
  mayGoOn(): void
  failed(event: DirectoryEvent, ended: DispatchOutcome): void
}

export interface Batch {
  add(event: DirectoryEvent, applied: Applied): Promise<void>
  drained(): Promise<void>
}
