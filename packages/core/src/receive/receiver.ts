import { timedOut, within } from '../base/clock.ts'
import { BodyError, ConfigurationError } from '../base/errors.ts'
import { completeLogger, type Logger } from '../base/logger.ts'
import { configureReceiver, type ReceiverConfiguration, type SigningKeys } from '../config/configure.ts'
import type { ReceiverOptions } from '../config/options.ts'
import { eventFields, idempotencyKeyOf } from '../dispatch/delivery.ts'
import {
  type CloseOptions,
  type Dispatcher,
  type DispatchOptions,
  EventDispatcher,
} from '../dispatch/dispatcher.ts'
import { parseEvent, type Resource, type ScimEvent } from '../events/events.ts'
import { type Outcome, type OutcomeReport, type Reply, replyTo } from '../events/outcome.ts'
import { syncMarginSeconds } from '../ledger/decisions.ts'
import { secretRequest } from '../verification/secrets.ts'
import { type HeaderSource, header, readSignedHeaders, verify } from '../verification/signature.ts'
import { type Attempt, readAttempt, type UnusableAttempt, unusableBody } from './attempt.ts'
import { logAttempt } from './attempt-log.ts'
import { fetchBody, givenBody } from './body.ts'

/** What to answer an attempt. */
export interface ReceiveResult extends Reply {
  outcome: Outcome
}

/** Receives attempts: verify, parse, dispatch, respond. */
export interface Receiver extends Dispatcher {
  /** The logger that was given, complete. */
  readonly log: Logger
  /** Judges one attempt, by its deadline. Never rejects. */
  receive(attempt: Attempt): Promise<ReceiveResult>
  /** The same for WHATWG requests: Hono, Next.js, Bun, … Never rejects. */
  fetch(request: Request, options?: { params?: Attempt['params'] }): Promise<Response>
}

/** @throws ConfigurationError when an option is wrong, or no secret is there */
export function createReceiver(options: ReceiverOptions = {}): Receiver {
  const config = configureReceiver(options)
  return new AttemptReceiver(config)
}

/**
 * For adapters: the receiver that was given to be shared, or a new one.
 * @throws ConfigurationError when a shared receiver comes with options, which it could not heed
 */
export function receiverFrom(shared: Receiver | undefined, options: ReceiverOptions): Receiver {
  if (shared === undefined) return createReceiver(options)
  const given = Object.entries(options).find(([, value]) => value !== undefined)
  if (given === undefined && typeof shared.receive === 'function') return shared
  throw new ConfigurationError(
    'ERR_SCIM_RECEIVER_OPTIONS',
    given === undefined
      ? '`receiver` must be what `createReceiver` gives.'
      : `\`${given[0]}\` stands beside \`receiver\`, which has its own: give it to \`createReceiver\`.`,
    given?.[0] ?? 'receiver',
  )
}

/** Everything that is known of an attempt once it is judged, for the reply, the log and the report. */
type Judgement = Pick<
  OutcomeReport,
  'outcome' | 'messageId' | 'eventId' | 'type' | 'organizationId' | 'resourceId' | 'reason' | 'error'
> & {
  bodyBytes?: number
  /** What the developer can do about it, for the log alone. */
  fix?: string | undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

class AttemptReceiver implements Receiver {
  readonly #config: ReceiverConfiguration
  readonly #dispatcher: EventDispatcher
  readonly #surprisesSeen = new Set<string>()
  #clockWasSeen = false

  constructor(config: ReceiverConfiguration) {
    this.#config = config
    this.#dispatcher = new EventDispatcher(config)
    // It is handed over by itself: `export const POST = receiver.fetch`.
    this.fetch = this.fetch.bind(this)
  }

  async receive(attempt: Attempt): Promise<ReceiveResult> {
    const { clock, report } = this.#config
    const startedMs = clock.monotonic()
    const read = readAttempt(attempt)
    const log = 'method' in read && read.log ? completeLogger(read.log) : this.#config.log

    const judgement = await this.#judge(read, startedMs, log).catch(
      (error: unknown): Judgement => ({ outcome: 'internal', error }),
    )
    const durationMs = clock.monotonic() - startedMs
    logAttempt(log, { ...judgement, durationMs, storeTrouble: this.#config.storeTrouble() })
    const { bodyBytes: _, fix: __, ...reported } = judgement
    report({ ...reported, source: 'webhook', durationMs })
    return { ...replyTo(judgement.outcome), outcome: judgement.outcome }
  }

  async fetch(request: Request, options?: { params?: Attempt['params'] }): Promise<Response> {
    let isHead = false
    const reply = await this.receive({
      get method() {
        isHead = request.method === 'HEAD'
        return request.method
      },
      get url() {
        return request.url
      },
      get headers() {
        return request.headers
      },
      get params() {
        return options?.params
      },
      body: fetchBody(request),
    })
    // The connection, and the length on it, are the server's.
    const { connection: _, 'content-length': __, ...kept } = reply.headers
    return new Response(isHead ? null : reply.body, { status: reply.status, headers: kept })
  }

  /** One attempt, top to bottom. */
  async #judge(attempt: Attempt | UnusableAttempt, startedMs: number, log: Logger): Promise<Judgement> {
    const deadlineMs = startedMs + this.#config.deadlineSeconds * 1000
    if (this.#dispatcher.closing) return { outcome: 'closed' }
    if ('unusable' in attempt) return unusable(attempt)
    if (attempt.method !== 'POST') return { outcome: 'method', reason: attempt.method.slice(0, 16) }
    if (isEncoded(attempt.headers)) return { outcome: 'content-encoding' }

    // Before the body is read: whoever cannot have signed it has no claim on the memory that it takes.
    const signed = readSignedHeaders(attempt.headers, this.#config.clock.now(), this.#config.toleranceSeconds)
    const failure = 'failure' in signed ? { reason: signed.failure } : {}
    if (this.#isTooLong(attempt)) return { outcome: 'too-large', ...failure }
    if ('failure' in signed) return { outcome: 'invalid-signature', ...failure }
    const noBody = unusableBody(attempt.body)
    if (noBody) return unusable(noBody)

    const read = await this.#read(attempt.body, deadlineMs)
    if ('outcome' in read) return read
    const { body } = read
    const bodyBytes = body.byteLength

    const found = await this.#keysFor(attempt, deadlineMs)
    if ('outcome' in found) return { ...found, bodyBytes }
    if (found.keys.length === 0) return { outcome: 'invalid-signature', reason: 'no-secret', bodyBytes }
    if (!verify(found.keys, signed, body)) {
      return { outcome: 'invalid-signature', reason: 'no-matching-signature', bodyBytes }
    }
    this.#warnOfClock(signed.ageSeconds, log)

    const messageId = idempotencyKeyOf(signed.messageId)
    const parsed = parseEvent(parseJson(body), messageId)
    if ('unusable' in parsed)
      return { outcome: 'invalid-payload', reason: parsed.unusable, messageId, bodyBytes }
    this.#warnOfSurprises(parsed.event.type, parsed.surprises, log)

    const fields = eventFields(parsed.event)
    const ended = await this.#dispatcher.deliver({
      ...parsed,
      idempotencyKey: messageId,
      source: 'webhook',
      startedMs,
      deadlineMs,
      log,
      fields,
    })
    return { ...ended, ...fields, messageId, bodyBytes }
  }

  /** As far as that is known before the body is read. */
  #isTooLong({ body, headers }: Attempt): boolean {
    const bytes = typeof body === 'function' ? Number(header(headers, 'content-length')) : body?.byteLength
    return bytes > this.#config.bodyLimitBytes
  }

  async #read(body: Attempt['body'], deadlineMs: number): Promise<{ body: Uint8Array } | Judgement> {
    const read = typeof body === 'function' ? body : givenBody(body)
    const waiting = new AbortController()
    try {
      const limits = { limitBytes: this.#config.bodyLimitBytes, signal: waiting.signal }
      const bytes = await within(this.#config.clock, read(limits), this.#leftMs(deadlineMs))
      if (bytes !== timedOut) return { body: bytes }
      waiting.abort()
      return { outcome: 'body-timeout' }
    } catch (error) {
      if (!BodyError.is(error))
        return unusable({ unusable: 'The reader that was given as `body` threw', error })
      if (error.reason === 'too-large') return { outcome: 'too-large' }
      return error.reason === 'consumed'
        ? { outcome: 'body-consumed', fix: error.fix }
        : { outcome: 'body-aborted' }
    }
  }

  async #keysFor(attempt: Attempt, deadlineMs: number): Promise<{ keys: SigningKeys } | Judgement> {
    try {
      const found = this.#config.secretsFor(secretRequest(attempt))
      if (!(found instanceof Promise)) return { keys: found }
      const keys = await within(this.#config.clock, found, this.#leftMs(deadlineMs))
      return keys === timedOut
        ? { outcome: 'resolver-failed', reason: 'no answer by the deadline' }
        : { keys }
    } catch (error) {
      return { outcome: 'resolver-failed', error }
    }
  }

  /** Once: a clock that is minutes ahead has the sync win over webhooks that are newer, and nothing else would tell. */
  #warnOfClock(ageSeconds: number, log: Logger): void {
    if (this.#clockWasSeen || Math.abs(ageSeconds) <= syncMarginSeconds / 2) return
    this.#clockWasSeen = true
    log.warn(
      { ageSeconds },
      "an attempt's time is over 30 s from this process's: it was long on its way, or the clocks are apart. " +
        'Synchronise them (NTP): a directory sync may miss changes, and beyond `toleranceSeconds` every attempt is refused',
    )
  }

  /** Once for each field: what one directory sends, it sends with every user. */
  #warnOfSurprises(type: string, surprises: string[], log: Logger): void {
    for (const surprise of surprises) {
      const seen = `${type} ${surprise.replace(/\d+/g, '*')}`
      if (this.#surprisesSeen.has(seen) || this.#surprisesSeen.size >= 1000) continue
      this.#surprisesSeen.add(seen)
      log.warn(
        { type, field: surprise },
        'a field is not of the documented type; the handler gets it as it is',
      )
    }
  }

  #leftMs(deadlineMs: number): number {
    return deadlineMs - this.#config.clock.monotonic()
  }

  get log() {
    return this.#config.log
  }

  get ordering() {
    return this.#dispatcher.ordering
  }

  get guarantee() {
    return this.#dispatcher.guarantee
  }

  get ledger() {
    return this.#dispatcher.ledger
  }

  dispatch(event: ScimEvent, options?: DispatchOptions) {
    return this.#dispatcher.dispatch(event, options)
  }

  forget(idempotencyKey: string) {
    return this.#dispatcher.forget(idempotencyKey)
  }

  forgetResource(resource: Resource) {
    return this.#dispatcher.forgetResource(resource)
  }

  close(options?: CloseOptions) {
    return this.#dispatcher.close(options)
  }

  [Symbol.asyncDispose]() {
    return this.close()
  }
}

/** A mistake of the developer or the host. The reply is a 500, so that the sender tries again. */
function unusable({ unusable: fix, error }: UnusableAttempt): Judgement {
  return { outcome: 'internal', reason: 'unusable-attempt', fix, ...(error === undefined ? {} : { error }) }
}

/** Bytes that were packed on the way are not the bytes that were signed. */
function isEncoded(headers: HeaderSource): boolean {
  const encoding = header(headers, 'content-encoding')
  return encoding !== undefined && encoding.trim() !== '' && encoding.trim().toLowerCase() !== 'identity'
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body))
  } catch {
    return undefined
  }
}
