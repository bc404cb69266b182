import type { Attempt } from '@scalekit-scim/core'
import { requestBody } from '@scalekit-scim/core/adapter'
import type { Request } from 'express'

// The host may define any property of its request as a getter that throws: Vercel's `req.body` does, for example. A
// middleware that lets it through ends the process on Express 4.

/** The path as it arrives, with the mount; nothing if it cannot be read. */
export function pathOf(req: Request): string | undefined {
  return unlessItThrows(() => fullPath(req))
}

/** Connect, middie and plain `node:http` know neither `path` nor `baseUrl`, and the last no `originalUrl`. */
function fullPath({ baseUrl, path, originalUrl, url }: Partial<Request>): string | undefined {
  if (path !== undefined) return (baseUrl ?? '') + path
  return (originalUrl ?? url)?.split(/[?#]/, 1)[0]
}

export function isSigned(req: Request): boolean {
  return unlessItThrows(() => req.headers['webhook-signature']) !== undefined
}

export function isHead(req: Request): boolean {
  return unlessItThrows(() => req.method) === 'HEAD'
}

/**
 * The request for `receive`, which reads the properties one by one and answers also if one throws. A request whose path
 * cannot be read may be for another route: it is refused too.
 */
export function attemptOf(req: Request, hasPath: boolean): Attempt {
  return {
    get method() {
      return req.method
    },
    get url() {
      // Of a path that cannot be read the error says so.
      return hasPath ? (req.originalUrl ?? req.url) : (fullPath(req) ?? '')
    },
    get headers() {
      return req.headers
    },
    get params() {
      return req.params as Record<string, string>
    },
    body: requestBody(req, [req], keepBytes),
  }
}

const keepBytes =
  'Mount scalekitScim before express.json(), or keep the bytes with its `verify` option as `req.rawBody`'

function unlessItThrows<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
