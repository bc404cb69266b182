import type { Attempt } from '@scalekit-scim/core'
import { type BodyReader, readSafely, requestBody } from '@scalekit-scim/core/adapter'
import type { Request } from 'express'

// The host can define a property of its request as a getter that throws. Vercel does this with `req.body`. On Express
// 4, a middleware that throws ends the process.

/** Returns the request's full path, including the mount prefix. If the path cannot be read, returns `undefined`. */
export function pathOf(req: Request): string | undefined {
  return readSafely(() => fullPath(req))
}

/**
 * Connect, middie and plain `node:http` set neither `path` nor `baseUrl`. Plain `node:http` does not set `originalUrl`.
 */
function fullPath({ baseUrl, path, originalUrl, url }: Partial<Request>): string | undefined {
  if (path !== undefined) return (baseUrl ?? '') + path
  return (originalUrl ?? url)?.split(/[?#]/, 1)[0]
}

export function isSigned(req: Request): boolean {
  return readSafely(() => req.headers['webhook-signature']) !== undefined
}

export function isHead(req: Request): boolean {
  return readSafely(() => req.method) === 'HEAD'
}

/**
 * The attempt for `receive`. `receive` reads each property once, and can handle a property that throws. If the path
 * cannot be read, `receive` refuses the request, because the request can be for another route.
 */
export class RequestAttempt implements Attempt {
  readonly body: BodyReader
  readonly #req: Request
  readonly #hasPath: boolean

  constructor(req: Request, hasPath: boolean) {
    this.#req = req
    this.#hasPath = hasPath
    this.body = requestBody(req, [req], bodyFix)
  }

  get method(): string {
    return this.#req.method
  }

  get url(): string {
    // Without a path, `fullPath` throws again, and `receive` refuses the request.
    if (!this.#hasPath) return fullPath(this.#req) ?? ''
    return this.#req.originalUrl ?? this.#req.url
  }

  get headers(): Request['headers'] {
    return this.#req.headers
  }

  get params(): Record<string, string> {
    return this.#req.params as Record<string, string>
  }
}

const bodyFix =
  'Mount scalekitScim before express.json(), or store the bytes as `req.rawBody` with its `verify` option'
