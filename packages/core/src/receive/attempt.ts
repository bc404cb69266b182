import { types } from 'node:util'
import type { Logger } from '../base/logger.ts'
import type { HeaderSource } from '../verification/signature.ts'
import type { BodyReader } from './body.ts'

/** One HTTP request that delivers an event. */
export interface Attempt {
  method: string
  url: string
  headers: HeaderSource
  /**
   * The bytes as they arrived, or a function that reads them. Never pass a re-serialised object: its bytes are not the
   * signed bytes.
   */
  body: Uint8Array | BodyReader
  /** The route's parameters, for a secret resolver. */
  params?: Readonly<Record<string, string | undefined>> | undefined
  /** The request's logger. @default the receiver's logger */
  log?: Logger | undefined
}

/** The reason why an attempt cannot be read, for the developer who passed it. */
export interface UnusableAttempt {
  unusable: string
  error?: unknown
}

const names = ['method', 'url', 'headers', 'body', 'params', 'log'] as const

/** Reads each property once. A property can be a getter of the host's request that throws. */
export function readAttempt(attempt: Attempt): Attempt | UnusableAttempt {
  if (typeof attempt !== 'object' || attempt === null) {
    return { unusable: 'No attempt was passed. Pass { method, url, headers, body }' }
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

// The body is checked later, because a request with another method often has none.
function isUsable(read: { method?: unknown; headers?: unknown }): read is Attempt {
  return typeof read.method === 'string' && typeof read.headers === 'object' && read.headers !== null
}

function missingIn({ method }: { method?: unknown }): string {
  return typeof method === 'string'
    ? "`headers` is missing. Pass the request's headers, as an object or as `Headers`"
    : '`method` is missing. Pass the HTTP method of the request, such as "POST"'
}

/** Returns the reason why a body cannot be read, or `undefined` if it can be read. */
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
