import type { Attempt } from '@scalekit-scim/core'
import { readSafely, requestBody } from '@scalekit-scim/core/adapter'
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
 * Returns the attempt for `receive`. `receive` reads each property once, and can handle a property that throws. If the
 * path cannot be read, `receive` refuses the request, because the request can be for another route.
 */
export function attemptOf(req: Request, hasPath: boolean): Attempt {
  return {
    get method() {
      return req.method
    },
    get url() {
      // Without a path, `fullPath` throws again, and `receive` refuses the request.
      return hasPath ? (req.originalUrl ?? req.url) : (fullPath(req) ?? '')
    },
    get headers() {
      return req.headers
    },
    get params() {
      return req.params as Record<string, string>
    },
    body: requestBody(req, [req], bodyFix),
  }
}

const bodyFix =
  'Mount scalekitScim before express.json(), or store the bytes as `req.rawBody` with its `verify` option'
