import { types } from 'node:util'
import { type Clock, type Deadline, timedOut, within } from '../base/clock.ts'
import { BodyError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { AttemptResult } from '../dispatch/outcome-log.ts'
import { type HeaderSource, header } from '../verification/signature.ts'
import { type BodyLimits, type BodyReader, givenBody } from './body.ts'

/** One HTTP request that delivers an event. */
export interface Attempt {
  method: string
  url: string
  headers: HeaderSource
  /**
   * The bytes as they arrived, or a function that reads them. Never pass an object that was serialized again: its bytes
   * are not the signed bytes.
   */
  body: Uint8Array | BodyReader
  /** The route's parameters, for a secret resolver. */
  params?: Readonly<Record<string, string | undefined>> | undefined
  /** The request's logger. @default the receiver's logger */
  log?: Logger | undefined
}

/**
 * Reads each property of an attempt once. A property can be a getter of the host's request that throws.
 * @param given Properties that replace the properties of `source`
 * @returns the attempt, or the outcome of an unusable attempt
 */
export function readAttempt(source: object, given?: Partial<Attempt>): Attempt | AttemptResult {
  if (typeof source !== 'object' || source === null) {
    return unusable('No attempt was passed. Pass { method, url, headers, body }')
  }
  let name: keyof Attempt = 'method'
  const next = (property: keyof Attempt): unknown => {
    name = property
    return Reflect.get(given && property in given ? given : source, property)
  }
  try {
    const read = {
      method: next('method'),
      url: next('url'),
      headers: next('headers'),
      body: next('body'),
      params: next('params'),
      log: next('log'),
    }
    return isUsable(read) ? read : unusable(missingIn(read))
  } catch (error) {
    return unusable(`\`${name}\` cannot be read: a property of the request throws`, error)
  }
}

// This function does not check the body, because a request with another method often does not have a body.
function isUsable(read: { method?: unknown; headers?: unknown }): read is Attempt {
  return typeof read.method === 'string' && typeof read.headers === 'object' && read.headers !== null
}

function missingIn({ method }: { method?: unknown }): string {
  return typeof method === 'string'
    ? "`headers` is missing. Pass the request's headers, as an object or as `Headers`"
    : '`method` is missing. Pass the HTTP method of the request, such as "POST"'
}

/** Whether the body exceeds the limit. Uses the length that is known before the body is read. */
export function isTooLong({ body, headers }: Attempt, limitBytes: number): boolean {
  const bytes = typeof body === 'function' ? Number(header(headers, 'content-length')) : body?.byteLength
  return bytes > limitBytes
}

/** Whether the body is compressed. The signature covers the uncompressed bytes. */
export function isCompressed({ headers }: Attempt): boolean {
  const encoding = header(headers, 'content-encoding')?.trim().toLowerCase()
  return encoding !== undefined && encoding !== '' && encoding !== 'identity'
}

/** Reads the body until the deadline. Returns the bytes. If the body cannot be read, returns the attempt's outcome. */
export async function readBody(
  { body }: Attempt,
  limitBytes: number,
  clock: Clock,
  deadline: Deadline,
): Promise<Uint8Array | AttemptResult> {
  const problem = problemOf(body)
  if (problem !== undefined) return unusable(`\`body\` ${problem}. ${passBytes}`)
  const read = typeof body === 'function' ? body : givenBody(body)
  const limits = new Limits(limitBytes)
  try {
    const bytes = await within(clock, read(limits), deadline.leftMs)
    if (bytes !== timedOut) return bytes
    limits.abort()
    return { outcome: 'body-timeout' }
  } catch (error) {
    if (!BodyError.is(error)) return unusable('The reader that was passed as `body` threw', error)
    if (error.reason === 'too-large') return { outcome: 'too-large' }
    if (error.reason === 'aborted') return { outcome: 'body-aborted' }
    return { outcome: 'body-consumed', fix: error.fix }
  }
}

/** Creates the signal only for a reader that uses it. */
class Limits implements BodyLimits {
  readonly limitBytes: number
  #waiting: AbortController | undefined

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get signal(): AbortSignal {
    this.#waiting ??= new AbortController()
    return this.#waiting.signal
  }

  abort(): void {
    this.#waiting ??= new AbortController()
    this.#waiting.abort()
  }
}

/** The result after a mistake of the developer or the host. The reply is 500, so that the sender tries again. */
function unusable(fix: string, error?: unknown): AttemptResult {
  return { outcome: 'internal', reason: 'unusable-attempt', fix, ...(error === undefined ? {} : { error }) }
}

const passBytes =
  'Pass the bytes as they arrived, as a Uint8Array, or a reader such as `nodeBody(request)` of @scalekit-scim/core/adapter'

/** Returns the reason why a body cannot be read, or `undefined` for a readable body. */
function problemOf(body: unknown): string | undefined {
  if (typeof body === 'function' || types.isUint8Array(body)) return undefined
  if (body === undefined || body === null) return 'is missing'
  return `is of type ${typeof body}, but the signature covers bytes`
}
