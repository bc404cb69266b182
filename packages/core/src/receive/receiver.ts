import type { KeyObject } from 'node:crypto'
import { readSafely } from '../base/application-calls.ts'
import { Deadline, timedOut, within } from '../base/clock.ts'
import { completeLogger, type Logger } from '../base/logger.ts'
import { configureReceiver, type ReceiverConfiguration } from '../config/configure.ts'
import type { ReceiverOptions } from '../config/options.ts'
import { eventIds } from '../dispatch/delivery.ts'
import { EventDispatcher } from '../dispatch/dispatcher.ts'
import type { Dispatcher } from '../dispatch/dispatcher-interface.ts'
import { type OpenStore, openStore } from '../dispatch/open-store.ts'
import { type AttemptResult, logAttempt } from '../dispatch/outcome-log.ts'
import type { Outcome } from '../events/outcome.ts'
import { parseEvent } from '../events/parse-event.ts'
import { header, readSignedHeaders, type SignedHeaders, verify } from '../verification/signature.ts'
import { type Attempt, isCompressed, isTooLong, readAttempt, readBody } from './attempt.ts'
import { AttemptWarnings } from './attempt-warnings.ts'
import { fetchBody } from './body.ts'
import { type Reply, replyTo } from './reply.ts'

/** The reply to an attempt, with its outcome. */
export interface ReceiveResult extends Reply {
  outcome: Outcome
}

/** A dispatcher that also receives webhooks. A receiver verifies, parses, dispatches and answers each attempt. */
export interface Receiver extends Dispatcher {
  /** The receiver's logger, with all four methods. */
  readonly log: Logger
  /** Receives one attempt, and returns the reply by its deadline. Never rejects. */
  receive(attempt: Attempt): Promise<ReceiveResult>
  /** Receives a WHATWG request, and returns its response, for Hono, Next.js, Bun and others. Never rejects. */
  fetch(request: Request, options?: { params?: Attempt['params'] }): Promise<Response>
}

/**
 * Creates a receiver. Use a receiver for frameworks without an adapter, or to share one receiver between several
 * mounts.
 * @throws ConfigurationError if an option is wrong, or no secret is set
 * @example
 * const receiver = createReceiver({ onUserUpserted: (event) => accounts.upsert(event.data) })
 * export const POST = receiver.fetch
 */
export function createReceiver(options: ReceiverOptions = {}): Receiver {
  return new AttemptReceiver(openStore(configureReceiver(options)))
}

class AttemptReceiver extends EventDispatcher implements Receiver {
  readonly log: Logger
  readonly #config: ReceiverConfiguration & OpenStore
  readonly #warnings = new AttemptWarnings()

  constructor(config: ReceiverConfiguration & OpenStore) {
    super(config)
    this.#config = config
    this.log = config.log
    // Applications pass this method without its object: `export const POST = receiver.fetch`.
    this.fetch = this.fetch.bind(this)
  }

  receive(attempt: Attempt): Promise<ReceiveResult> {
    return this.#reply(readAttempt(attempt))
  }

  async fetch(request: Request, options?: { params?: Attempt['params'] }): Promise<Response> {
    const read = readAttempt(request, {
      body: fetchBody(request),
      log: undefined,
      get params() {
        return options?.params
      },
    })
    const { status, headers: replyHeaders, body } = await this.#reply(read)
    // The server itself sets the headers `connection` and `content-length`.
    const { connection: _, 'content-length': __, ...headers } = replyHeaders
    const isHead = 'method' in read && read.method === 'HEAD'
    return new Response(isHead ? null : body, { status, headers })
  }

  async #reply(read: Attempt | AttemptResult): Promise<ReceiveResult> {
    const { clock, report, recentStoreError } = this.#config
    const startedMs = clock.monotonic()
    const log = 'method' in read && read.log ? completeLogger(read.log) : this.log

    let result: AttemptResult
    try {
      result = await this.#resultOf(read, startedMs, log)
    } catch (error) {
      result = { outcome: 'internal', error }
    }
    const durationMs = clock.monotonic() - startedMs
    logAttempt(log, result, durationMs, recentStoreError)
    if (report) {
      const { bodyBytes: _, fix: __, ...reported } = result
      report({ ...reported, source: 'webhook', durationMs })
    }
    const { outcome } = result
    const { status, headers, body } = replyTo(outcome)
    return { status, headers, body, outcome }
  }

  /** Runs the steps of one attempt, and returns its result. */
  async #resultOf(attempt: Attempt | AttemptResult, startedMs: number, log: Logger): Promise<AttemptResult> {
    const { clock, toleranceSeconds, bodyLimitBytes, deadlineSeconds } = this.#config
    const deadline = new Deadline(clock, deadlineSeconds * 1000)
    if (this.closing) return { outcome: 'closed' }
    if ('outcome' in attempt) return attempt
    if (attempt.method !== 'POST') return { outcome: 'method', reason: attempt.method.slice(0, 16) }
    if (isCompressed(attempt)) return { outcome: 'content-encoding' }

    // The receiver checks the headers before it reads the body, so that a request with invalid headers does not use
    // memory.
    const signed = readSignedHeaders(attempt.headers, clock.now(), toleranceSeconds)
    const failure = 'failure' in signed ? { reason: signed.failure } : {}
    if (isTooLong(attempt, bodyLimitBytes)) return { outcome: 'too-large', ...failure }
    if ('failure' in signed) return { outcome: 'invalid-signature', ...failure }

    const body = await readBody(attempt, bodyLimitBytes, clock, deadline)
    if ('outcome' in body) return body
    const bodyBytes = body.byteLength

    const keys = this.#keysFor(attempt, deadline)
    const refused = refusalOf(keys instanceof Promise ? await keys : keys, signed, body)
    if (refused) return { ...refused, bodyBytes }
    this.#warnings.clock(signed.ageSeconds, log)

    const messageId = idempotencyKeyOf(signed.messageId)
    const parsed = parseEvent(
      readSafely(() => JSON.parse(utf8.decode(body))),
      messageId,
    )
    if ('unusable' in parsed) {
      return { outcome: 'invalid-payload', reason: parsed.unusable, messageId, bodyBytes }
    }
    this.#warnings.unexpectedFields(parsed.event, log)

    const ids = eventIds(parsed.event, messageId)
    const outcome = await this.deliver({
      event: parsed.event,
      occurredAt: parsed.occurredAt,
      idempotencyKey: messageId,
      source: 'webhook',
      startedMs,
      deadline,
      log,
      ids,
    })
    return Object.assign({ bodyBytes }, outcome, ids)
  }

  /** Returns the keys that can verify the attempt, or the outcome of an attempt without keys. */
  #keysFor(attempt: Attempt, deadline: Deadline): Keys | Promise<Keys> {
    const { method, url, params = {}, headers } = attempt
    try {
      const keys = this.#config.secretKeys({
        method,
        url,
        params,
        header: (name) => header(headers, name.toLowerCase()),
      })
      return keys instanceof Promise ? this.#inTime(keys, deadline) : keys
    } catch (error) {
      return { outcome: 'resolver-failed', error }
    }
  }

  async #inTime(resolving: Promise<readonly KeyObject[]>, deadline: Deadline): Promise<Keys> {
    try {
      const keys = await within(this.#config.clock, resolving, deadline.leftMs)
      return keys === timedOut ? { outcome: 'resolver-failed', reason: 'no answer by the deadline' } : keys
    } catch (error) {
      return { outcome: 'resolver-failed', error }
    }
  }
}

type Keys = readonly KeyObject[] | AttemptResult

/** Verifies the body. If the verification fails, returns the attempt's outcome. */
function refusalOf(keys: Keys, signed: SignedHeaders, body: Uint8Array): AttemptResult | undefined {
  if ('outcome' in keys) return keys
  if (keys.length === 0) return { outcome: 'invalid-signature', reason: 'no-secret' }
  if (verify(keys, signed, body)) return undefined
  return { outcome: 'invalid-signature', reason: 'no-matching-signature' }
}

/** Escapes `:`, because job queues such as BullMQ refuse it in a key. Also escapes `%`, the escape character. */
function idempotencyKeyOf(messageId: string): string {
  if (!/[%:]/.test(messageId)) return messageId
  return messageId.replace(/[%:]/g, (char) => (char === ':' ? '%3A' : '%25'))
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
