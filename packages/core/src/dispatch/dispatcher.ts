import { randomUUID } from 'node:crypto'
import { awaited, Deadline, timedOut, within } from '../base/clock.ts'
import { isJsonObject } from '../base/objects.ts'
import { configureDispatcher } from '../config/configure.ts'
import { numberOption } from '../config/option-checks.ts'
import type { DispatcherOptions } from '../config/options.ts'
import { isDirectoryEvent, isResource, resourceKey, resourceOf } from '../events/directory-events.ts'
import type { Resource, ScimEvent } from '../events/events.ts'
import { type DispatchOutcome, outcomeOfCopy } from '../events/outcome.ts'
import { parseEvent } from '../events/parse-event.ts'
import type { RoutedHandler } from '../events/router.ts'
import type { Claim, Ledger } from '../ledger/ledger.ts'
import { beginClaim, releaseClaim } from './claims.ts'
import { CommitQueue } from './commit-queue.ts'
import { type Delivery, eventIds } from './delivery.ts'
import type { CloseOptions, Dispatcher, DispatchOptions } from './dispatcher-interface.ts'
import { type HandlerResult, LeasedHandlers } from './leased-handlers.ts'
import { type OpenConfiguration, openStore } from './open-store.ts'
import { logLateOutcome } from './outcome-log.ts'
import { Turns } from './turns.ts'

const graceRule = { default: 10, min: 0, max: 3600 }
/** How long `close()` waits for aborted handlers to release their claims. */
const afterAbortMs = 1000
/** If an event's handlers have not begun by the deadline, the dispatcher waits this long for the outcome, in ms. */
const afterDeadlineMs = 50

/**
 * Creates a dispatcher, which runs events through your handlers without HTTP.
 * @throws ConfigurationError if an option is wrong
 * @example
 * const dispatcher = createDispatcher({ store, onUserUpserted: (event) => accounts.upsert(event.data) })
 * const sync = createDirectorySync({ scalekit, dispatcher, organizations: 'all', known })
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new EventDispatcher(openStore(configureDispatcher(options)))
}

/** The progress of one run of an event's handlers. The progress determines the outcome at the deadline. */
interface Progress {
  /** Whether the handlers have begun. If `true`, the handlers continue after the deadline. */
  handling: boolean
  /** Whether the deadline passed before the handlers began. If `true`, no handler may begin. */
  abandoned: boolean
}

export class EventDispatcher implements Dispatcher {
  readonly ledger: Ledger
  readonly ordering: 'resource' | 'none'
  readonly #config: OpenConfiguration
  readonly #turns: Turns
  readonly #handlers: LeasedHandlers
  readonly #commits: CommitQueue
  /** The current runs in this process, by message id. */
  readonly #runs = new Map<string, Promise<DispatchOutcome>>()
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  constructor(config: OpenConfiguration) {
    this.ledger = config.ledger
    this.ordering = config.ordering
    this.#config = config
    this.#turns = new Turns(config.clock)
    this.#handlers = new LeasedHandlers(config)
    this.#commits = new CommitQueue(config)
  }

  get guarantee() {
    return this.ledger.guarantee
  }

  get closing(): boolean {
    return this.#closing.signal.aborted
  }

  async dispatch(event: ScimEvent, options: DispatchOptions = {}): Promise<DispatchOutcome> {
    const { idempotencyKey = randomUUID(), source = 'manual', observedAt, directoryId } = options
    const parsed = parseEvent(isJsonObject(event) ? { ...event } : event, idempotencyKey)
    if ('unusable' in parsed) throw new TypeError(`dispatch: ${parsed.unusable}`)
    const delivery: Delivery = {
      ...parsed,
      idempotencyKey,
      source,
      observedAt,
      directoryId,
      startedMs: this.#config.clock.monotonic(),
      // No sender waits for a reply, so the deadline covers both the wait for the resource's turn and the run of the
      // handlers.
      deadline: new Deadline(this.#config.clock, 2 * this.#config.handlerTimeoutSeconds * 1000),
      log: this.#config.log,
      ids: eventIds(parsed.event, idempotencyKey),
    }
    const outcome = await this.deliver(delivery)
    this.#report(delivery, outcome)
    return outcome
  }

  /** Delivers one event, and returns its outcome by the deadline. */
  async deliver(delivery: Delivery): Promise<DispatchOutcome> {
    const handlers = this.#config.route(delivery.event)
    if (handlers.length === 0) return { outcome: 'unhandled' }
    const messageId = delivery.idempotencyKey
    for (;;) {
      if (this.closing) return { outcome: 'closed' }
      if (this.#commits.isPending(messageId)) return { outcome: 'duplicate' }
      const running = this.#runs.get(messageId)
      if (!running) return await this.#runByDeadline(delivery, handlers)
      // Other copies of a message wait for the running copy. If the running copy ends before its handlers begin, the
      // next copy runs.
      const ended = await within(this.#config.clock, running, delivery.deadline.leftMs)
      if (ended === timedOut) return { outcome: 'in-flight' }
      const outcome = outcomeOfCopy(ended)
      if (outcome) return outcome
    }
  }

  async #runByDeadline(delivery: Delivery, handlers: RoutedHandler[]): Promise<DispatchOutcome> {
    const progress: Progress = { handling: false, abandoned: false }
    const messageId = delivery.idempotencyKey
    const run = this.#run(delivery, handlers, progress)
    this.#runs.set(messageId, run)
    const outcome = await within(this.#config.clock, run, delivery.deadline.leftMs)
    if (outcome !== timedOut) return outcome
    if (!progress.handling) {
      progress.abandoned = true
      const reason = await within(this.#config.clock, run, afterDeadlineMs)
      return reason === timedOut ? { outcome: 'busy' } : reason
    }
    run.then(
      (late) => this.#reportLate(delivery, late),
      (error) => this.#reportLate(delivery, { outcome: 'handler-failed', error }),
    )
    return { outcome: 'deadline' }
  }

  /**
   * Takes the resource's turn, claims the message, runs the handlers, and then commits or releases the claim. The wait
   * for the turn and the claim ends at the deadline.
   */
  async #run(delivery: Delivery, handlers: RoutedHandler[], progress: Progress): Promise<DispatchOutcome> {
    const { event } = delivery
    const isOrdered = this.ordering === 'resource' && isDirectoryEvent(event)
    const resource = isOrdered ? resourceKey(resourceOf(event)) : undefined
    // After this first `await`, `#runs` contains this run.
    const endTurn = await this.#turns.take(resource, delivery, this.#closing.signal)
    try {
      if (!endTurn) return { outcome: this.closing ? 'closed' : 'busy' }
      // A pending commit changes the resource's watermark, so the store must record the commit first.
      if (resource !== undefined && !(await this.#commits.flush(resource))) return unrecordedCommit
      const begun = await beginClaim(this.#config, delivery, resource, this.#closing.signal)
      if ('outcome' in begun) return begun
      // The handlers must not begin: the sender has already received a reply, or the dispatcher is closing.
      if (progress.abandoned || this.closing) {
        await releaseClaim(this.#config, begun.claim, delivery.log)
        return { outcome: this.closing ? 'closed' : 'busy' }
      }
      progress.handling = true
      return await this.#handlers.run(delivery, handlers, begun, (result) =>
        this.#settle(delivery, begun.claim, result),
      )
    } finally {
      this.#runs.delete(delivery.idempotencyKey)
      endTurn?.()
    }
  }

  /** Commits the claim. If a handler failed, releases the claim instead. */
  async #settle(delivery: Delivery, claim: Claim, result: HandlerResult): Promise<DispatchOutcome> {
    if (result.outcome === 'handler-failed') {
      await releaseClaim(this.#config, claim, delivery.log)
      return result
    }
    const committed = await this.#commits.commit(claim, {
      // The sync uses new idempotency keys in each pass, so no later event has the same key.
      retentionSeconds: delivery.source === 'sync' ? 0 : this.#config.retentionSeconds,
      watermarkRetentionSeconds: this.#config.watermarkRetentionSeconds,
    })
    return committed === 'lost' ? { outcome: 'lost' } : result
  }

  async forget(idempotencyKey: string): Promise<boolean> {
    if (typeof idempotencyKey !== 'string' || idempotencyKey === '') {
      throw new TypeError(
        'forget: pass the idempotency key of a message, as in `ctx.idempotencyKey` or the log',
      )
    }
    const wasPending = await this.#commits.drop(idempotencyKey)
    return (await this.ledger.forget(idempotencyKey)) || wasPending
  }

  async forgetResource(resource: Resource): Promise<boolean> {
    if (!isResource(resource)) {
      throw new TypeError("forgetResource: pass { kind: 'user' | 'group' | 'directory', organizationId, id }")
    }
    return this.ledger.forgetResource(resourceKey(resource))
  }

  close({ graceSeconds }: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(numberOption('graceSeconds', graceSeconds, graceRule) * 1000)
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(graceMs: number): Promise<void> {
    this.#closing.abort()
    const grace = new Deadline(this.#config.clock, graceMs)
    if ((await within(this.#config.clock, this.#runsEnded(), graceMs, awaited)) === timedOut) {
      this.#config.log.warn(
        { running: this.#runs.size },
        'closing while handlers run: their signals abort now',
      )
      this.#handlers.abortAll('the receiver was closed')
      await within(this.#config.clock, this.#runsEnded(), afterAbortMs, awaited)
    }
    await this.#commits.close(grace)
    this.#config.closeStore()
  }

  /** Returns the number of entries in each collection that the dispatcher stores in memory. For leak checks. */
  sizes() {
    return {
      runs: this.#runs.size,
      turns: this.#turns.size,
      leases: this.#handlers.size,
      ...this.#commits.sizes,
    }
  }

  #runsEnded(): Promise<unknown> {
    return Promise.allSettled(this.#runs.values())
  }

  #report({ ids, source, startedMs }: Delivery, outcome: DispatchOutcome, late: { late?: true } = {}): void {
    const durationMs = this.#config.clock.monotonic() - startedMs
    this.#config.report?.({ ...outcome, ...ids, source, durationMs, ...late })
  }

  #reportLate(delivery: Delivery, outcome: DispatchOutcome): void {
    logLateOutcome(delivery.log, { ...delivery.ids, ...outcome })
    this.#report(delivery, outcome, { late: true })
  }
}

const unrecordedCommit: DispatchOutcome = {
  outcome: 'store-unavailable',
  reason: 'an earlier event of the resource is done, but the store has not recorded it yet',
}
