import { randomUUID } from 'node:crypto'
import { awaited, type Clock, timedOut, within } from '../base/clock.ts'
import { formatInstant, type Instant } from '../base/instant.ts'
import { unheard } from '../base/logger.ts'
import { configureDispatcher, type DispatcherConfiguration } from '../config/configure.ts'
import { numberOption } from '../config/option-checks.ts'
import type { DispatcherOptions } from '../config/options.ts'
import { isDirectoryEvent, parseEvent, type Resource, resourceOf, type ScimEvent } from '../events/events.ts'
import type { EventSource, HandlerContext, Step } from '../events/handlers.ts'
import type { DispatchOutcome } from '../events/outcome.ts'
import type { Claim, Guarantee, Ledger } from '../ledger/ledger.ts'
import { type Begun, Claims } from './claims.ts'
import { Commits } from './commits.ts'
import {
  type Delivery,
  directoryIdOf,
  eventFields,
  isResource,
  leftMs,
  reasonFields,
  resourceKey,
} from './delivery.ts'
import { Lease } from './lease.ts'
import { type HandlersEnded, runSteps } from './steps.ts'
import { type EndTurn, Turns } from './turns.ts'

export interface DispatchOptions {
  /** @default 'manual' */
  source?: EventSource
  /** Makes a repeat a duplicate. @default a new one, so that every call runs */
  idempotencyKey?: string
  /** The store's time (`ledger.now()`) before what the event says was read: superseded by all that came since. */
  observedAt?: Instant
  /** Which directory it comes from, for `ctx.directoryId`. @default what the event itself says */
  directoryId?: string
}

export interface CloseOptions {
  /** Seconds that running handlers have to finish before their signal aborts. @default 10 */
  graceSeconds?: number
}

/** Runs events: begin, route, settle. Webhooks and the sync go through the same one. */
export interface Dispatcher extends AsyncDisposable {
  /** What the store promises for messages (once) and for order (one at a time, newest wins). */
  readonly guarantee: { readonly message: Guarantee; readonly order: Guarantee }
  /** Whether the events of one resource wait for one another, and older ones are superseded. */
  readonly ordering: 'resource' | 'none'
  readonly ledger: Ledger
  /**
   * Runs an event of your own through the handlers, with the same once, order and newest-wins as a webhook. A handler
   * that awaits one of its own resource waits for itself, until `handlerTimeoutSeconds`.
   * @throws TypeError when it is no usable event: a directory event without `data.id`, organization or time
   */
  dispatch(event: ScimEvent, options?: DispatchOptions): Promise<DispatchOutcome>
  /**
   * Makes a done message unseen, so that its replay runs again; says whether it was known. One whose handler runs is
   * taken again when its lease is renewed.
   * @throws TypeError when it is no key
   */
  forget(idempotencyKey: string): Promise<boolean>
  /**
   * Makes a resource's watermark unseen, so that an older event may be applied; says whether it was known.
   * @throws TypeError when it names no resource
   */
  forgetResource(resource: Resource): Promise<boolean>
  /**
   * Takes nothing new (503), lets running handlers finish, then aborts their signals. Again: the same promise. The
   * store stays open; it is yours.
   */
  close(options?: CloseOptions): Promise<void>
}

interface Run {
  ended: Promise<DispatchOutcome>
  /** From here on the deadline is answered while the handler goes on. */
  handling: boolean
  /** The deadline came before: no handler may begin any more. */
  abandoned: boolean
}

const defaultGraceSeconds = 10
/** What an aborted handler has left to release its claim in. */
const afterAbortMs = 1000
/** How long after the deadline an event that did not come to run may still say why. */
const afterDeadlineMs = 50

/** @throws ConfigurationError when an option is wrong */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new EventDispatcher(configureDispatcher(options))
}

export class EventDispatcher implements Dispatcher {
  readonly ledger: Ledger
  readonly #config: DispatcherConfiguration
  readonly #clock: Clock
  readonly #turns: Turns
  readonly #claims: Claims
  readonly #commits: Commits
  readonly #runs = new Map<string, Run>()
  readonly #leases = new Set<Lease>()
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  constructor(config: DispatcherConfiguration) {
    this.#config = config
    this.#clock = config.clock
    this.ledger = config.ledger
    this.#turns = new Turns(config.clock)
    this.#claims = new Claims(config, this.#closing.signal)
    this.#commits = new Commits(config)
  }

  get guarantee() {
    return this.ledger.guarantee
  }

  get ordering() {
    return this.#config.ordering
  }

  get closing(): boolean {
    return this.#closing.signal.aborted
  }

  async dispatch(event: ScimEvent, options: DispatchOptions = {}): Promise<DispatchOutcome> {
    const idempotencyKey = options.idempotencyKey ?? randomUUID()
    const parsed = parseEvent(event, idempotencyKey)
    if ('unusable' in parsed) throw new TypeError(`dispatch: ${parsed.unusable}`)
    const startedMs = this.#clock.monotonic()
    const source = options.source ?? 'manual'
    const fields = eventFields(parsed.event)
    const result = await this.deliver({
      ...parsed,
      idempotencyKey,
      source,
      observedAt: options.observedAt,
      directoryId: options.directoryId,
      startedMs,
      // Nobody waits at the other end: time for the resource's turn, and for the handler.
      deadlineMs: startedMs + 2 * this.#config.handlerTimeoutSeconds * 1000,
      log: this.#config.log,
      fields,
    })
    const durationMs = this.#clock.monotonic() - startedMs
    this.#config.report({
      ...result,
      ...fields,
      source,
      messageId: idempotencyKey,
      durationMs,
    })
    return result
  }

  /** One event, from its arrival to what is answered by its deadline. */
  async deliver(delivery: Delivery): Promise<DispatchOutcome> {
    const steps = this.#config.route(delivery.event)
    if (steps.length === 0) return { outcome: 'unhandled' }
    const key = delivery.idempotencyKey

    // Copies of one message wait for the one that runs. Where that one never came to run, the next takes its place.
    for (;;) {
      if (this.closing) return { outcome: 'closed' }
      if (this.#commits.isPending(key)) return { outcome: 'duplicate' }
      const twin = this.#runs.get(key)
      if (!twin) return this.#lead(delivery, steps)
      const ended = await within(this.#clock, twin.ended, leftMs(delivery, this.#clock))
      if (ended === timedOut) return { outcome: 'in-flight' }
      const answer = answerOfTwin(ended)
      if (answer) return answer
    }
  }

  async #lead(delivery: Delivery, steps: Step[]): Promise<DispatchOutcome> {
    const key = delivery.idempotencyKey
    const run: Run = { handling: false, abandoned: false, ended: Promise.resolve({ outcome: 'busy' }) }
    run.ended = this.#run(delivery, steps, run).finally(() => this.#runs.delete(key))
    this.#runs.set(key, run)

    const ended = await within(this.#clock, run.ended, leftMs(delivery, this.#clock))
    if (ended !== timedOut) return ended
    if (!run.handling) {
      run.abandoned = true
      const answer = await within(this.#clock, run.ended, afterDeadlineMs)
      return answer === timedOut ? { outcome: 'busy' } : answer
    }
    run.ended.then(
      (late) => this.#reportLate(delivery, late),
      (error) => this.#reportLate(delivery, { outcome: 'handler-failed', error }),
    )
    return { outcome: 'deadline' }
  }

  /** Turn, claim, handlers, settlement. Waits for turn and claim no longer than to the deadline. */
  async #run(delivery: Delivery, steps: Step[], run: Run): Promise<DispatchOutcome> {
    const resource = this.#resourceKey(delivery.event)
    const endTurn = await this.#turn(resource, delivery)
    if (!endTurn) return { outcome: this.closing ? 'closed' : 'busy' }
    try {
      // What was done to the resource and not recorded yet decides what is newer.
      if (resource !== undefined && !(await this.#commits.flush(resource))) return unrecorded
      const begun = await this.#claims.begin(delivery, resource)
      if ('outcome' in begun) return begun
      // Nobody waits for what begins now: close() may have told the running handlers to stop already.
      if (run.abandoned || this.closing) {
        await this.#claims.release(begun.claim, delivery.log)
        return { outcome: this.closing ? 'closed' : 'busy' }
      }
      run.handling = true
      return await this.#handle(delivery, steps, begun)
    } finally {
      endTurn()
    }
  }

  #turn(resource: string | undefined, delivery: Delivery): Promise<EndTurn | undefined> {
    if (resource === undefined) return Promise.resolve(() => {})
    return this.#turns.take(
      resource,
      delivery.occurredAt ?? '',
      leftMs(delivery, this.#clock),
      this.#closing.signal,
    )
  }

  async #handle(delivery: Delivery, steps: Step[], begun: Begun): Promise<DispatchOutcome> {
    const timeoutMs = this.#config.handlerTimeoutSeconds * 1000
    const { claim } = begun
    const lease = new Lease({ ...this.#config, ...begun, log: delivery.log })
    this.#leases.add(lease)
    try {
      const work = runSteps(steps, this.#contextOf(delivery, claim, lease))
      const ended = await within(this.#clock, work, timeoutMs)
      if (ended !== timedOut) {
        lease.end()
        if (ended.outcome === 'handler-failed') await lease.settled()
        return await this.#settle(delivery, claim, ended)
      }
      lease.abort('handlerTimeoutSeconds are over')
      // Should it end well after all, that is still worth recording, unless somebody else has begun by then.
      unheard(work.then((late) => this.#settle(delivery, claim, late)))
      return { outcome: 'handler-failed', reason: 'handler-timeout' }
    } finally {
      this.#leases.delete(lease)
      lease.end()
    }
  }

  #contextOf(delivery: Delivery, claim: Claim, lease: Lease): HandlerContext {
    const leftUntilAnswerMs = Math.min(
      leftMs(delivery, this.#clock),
      this.#config.handlerTimeoutSeconds * 1000,
    )
    const directoryId = delivery.directoryId ?? directoryIdOf(delivery.event)
    return {
      source: delivery.source,
      ...(directoryId === undefined ? {} : { directoryId }),
      idempotencyKey: delivery.idempotencyKey,
      occurredAt: formatInstant(claim.occurredAt),
      deadline: new Date(this.#clock.now() + leftUntilAnswerMs),
      signal: lease.signal,
      log: delivery.log,
    }
  }

  /** Commit or release. */
  async #settle(delivery: Delivery, claim: Claim, ended: HandlersEnded): Promise<DispatchOutcome> {
    if (ended.outcome === 'handler-failed') {
      await this.#claims.release(claim, delivery.log)
      return ended
    }
    const committed = await this.#commits.commit(claim, {
      // A sync's keys are new in each pass: there is no repeat to know them by.
      retentionSeconds: delivery.source === 'sync' ? 0 : this.#config.retentionSeconds,
      watermarkRetentionSeconds: this.#config.watermarkRetentionSeconds,
    })
    return committed === 'lost' ? { outcome: 'lost' } : ended
  }

  async forget(idempotencyKey: string): Promise<boolean> {
    if (typeof idempotencyKey !== 'string' || idempotencyKey === '') {
      throw new TypeError(
        'forget: give the idempotency key of a message, as `ctx.idempotencyKey` and the log have it',
      )
    }
    const wasPending = await this.#commits.drop(idempotencyKey)
    return (await this.ledger.forget(idempotencyKey)) || wasPending
  }

  async forgetResource(resource: Resource): Promise<boolean> {
    if (!isResource(resource)) {
      throw new TypeError(
        "forgetResource: give { kind: 'user' | 'group' | 'directory', organizationId, id }, as the events have them",
      )
    }
    return this.ledger.forgetResource(resourceKey(resource))
  }

  close({ graceSeconds }: CloseOptions = {}): Promise<void> {
    const rule = { default: defaultGraceSeconds, least: 0, most: 3600 }
    this.#closed ??= this.#close(numberOption('graceSeconds', graceSeconds, rule))
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(graceSeconds: number): Promise<void> {
    this.#closing.abort()
    const drained = () => Promise.allSettled([...this.#runs.values()].map((run) => run.ended))
    const graceEndsMs = this.#clock.monotonic() + graceSeconds * 1000
    if ((await within(this.#clock, drained(), graceSeconds * 1000, awaited)) === timedOut) {
      this.#config.log.warn(
        { running: this.#runs.size },
        'closing before every handler has ended: their signals abort now',
      )
      for (const lease of this.#leases) lease.abort('the receiver was closed')
      await within(this.#clock, drained(), afterAbortMs, awaited)
    }
    await this.#commits.close(graceEndsMs)
    this.#config.closeLedger()
  }

  #reportLate(delivery: Delivery, late: DispatchOutcome): void {
    const fields = { messageId: delivery.idempotencyKey, type: delivery.fields.type, outcome: late.outcome }
    if (late.outcome === 'processed' || late.outcome === 'dropped') {
      delivery.log.info(fields, 'a handler finished after its deadline: the retry will find it done')
    } else {
      delivery.log.error(
        { ...fields, ...reasonFields(late) },
        'a handler failed after its deadline: the retry runs it again',
      )
    }
    this.#config.report({
      ...late,
      ...delivery.fields,
      source: delivery.source,
      messageId: delivery.idempotencyKey,
      durationMs: this.#clock.monotonic() - delivery.startedMs,
      late: true,
    })
  }

  #resourceKey(event: ScimEvent): string | undefined {
    if (this.#config.ordering === 'none' || !isDirectoryEvent(event)) return undefined
    return resourceKey(resourceOf(event))
  }
}

const unrecorded: DispatchOutcome = {
  outcome: 'store-unavailable',
  reason: 'an earlier event of the resource is done, and the store has not recorded it yet',
}

/** What a copy is answered, by what became of the one that ran; nothing where that one did not come to run. */
function answerOfTwin({ outcome }: DispatchOutcome): DispatchOutcome | undefined {
  switch (outcome) {
    case 'processed':
    case 'dropped':
    case 'duplicate':
      return { outcome: 'duplicate' }
    case 'stale':
    case 'lost':
    case 'store-unavailable':
      return { outcome }
    case 'handler-failed':
      return { outcome, reason: 'another attempt at the message failed' }
    default:
      return undefined
  }
}
