import { types } from 'node:util'
import type { Logger } from '../base/logger.ts'
import type { HeaderSource } from '../verification/signature.ts'
import type { BodyReader } from './body.ts'

/** One HTTP request that wants to deliver an event. */
export interface Attempt {
  method: string
  url: string
  headers: HeaderSource
  /** The bytes, or a function that reads them once it is known that they are wanted. Never a re-serialised object. */
  body: Uint8Array | BodyReader
  /** The route's parameters, for a secret resolver. */
  params?: Readonly<Record<string, string | undefined>> | undefined
  /** This request's own logger, in place of the receiver's. */
  log?: Logger | undefined
}

/** Why an attempt cannot be judged, for the developer who passed it. */
export interface UnusableAttempt {
  unusable: string
  error?: unknown
}

const names = ['method', 'url', 'headers', 'body', 'params', 'log'] as const

/**
 * Reads each property once. The host's own request is often behind them, and reading it can throw: some hosts define
 * properties as getters.
 */
export function readAttempt(attempt: Attempt): Attempt | UnusableAttempt {
  if (typeof attempt !== 'object' || attempt === null) {
    return { unusable: 'No attempt was given. Pass { method, url, headers, body }' }
  }
  const read: Record<string, unknown> = {}
  for (const name of names) {
    try {
      read[name] = attempt[name]
    } catch (error) {
      return { unusable: `\`${name}\` cannot be read: a property of the request throws`, error }
    }
  }
  return isUsable(read) ? read : { unusable: missingIn(read) }
}

// The body is checked when it is needed: a request with another method often has none.
function isUsable(read: { method?: unknown; headers?: unknown }): read is Attempt {
  return typeof read.method === 'string' && typeof read.headers === 'object' && read.headers !== null
}

function missingIn({ method }: { method?: unknown }): string {
  return typeof method === 'string'
    ? "`headers` is missing. Pass the request's headers, as an object or as `Headers`"
    : '`method` is missing. Pass the HTTP method of the request, such as "POST"'
}

/** Why a body cannot be read; nothing if it can. */
export function unusableBody(body: unknown): UnusableAttempt | undefined {
  if (typeof body === 'function' || types.isUint8Array(body)) return undefined
  const problem =
    body === undefined || body === null
      ? 'is missing'
      : `is of type ${typeof body}, which is not what was signed`
  return {
    unusable: `\`body\` ${problem}. Pass the bytes as they arrived, as a Uint8Array, or a reader such as \`nodeBody(request)\` of @scalekit-scim/core/adapter`,
  }
}
