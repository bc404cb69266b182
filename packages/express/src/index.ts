import {
  ConfigurationError,
  defaultPath,
  type Receiver,
  type ReceiverOptions,
  receiverFrom,
  requirePath,
} from '@scalekit-scim/core'
import type { Request, RequestHandler, Response } from 'express'
import { capture } from './capture.ts'

export * from '@scalekit-scim/core'

export interface ScalekitScimOptions extends ReceiverOptions {
  /**
   * The whole path that is answered, mount and all. `false` answers whatever reaches the middleware: for
   * `app.post('/hooks/:env', scalekitScim({ path: false, … }))`.
   * @default '/webhooks/scalekit'
   */
  path?: string | false | undefined
  /** A receiver made with `createReceiver`, for several mounts of one. No other option but `path` goes with it. */
  receiver?: Receiver | undefined
}

/** The middleware, with its receiver: `middleware.receiver.close()` lets running handlers finish. */
export type ScalekitScim = RequestHandler & { receiver: Receiver }

/**
 * Express middleware, of Express 4 and 5, that receives Scalekit's directory webhooks: it reads the raw body itself,
 * verifies, deduplicates, orders, and routes to your handlers. Mount it before `express.json()`.
 *
 * Requests for another path go to `next()` untouched. Every other one is answered; `next(err)` is never called.
 *
 * @throws ConfigurationError when an option is wrong, or no secret is there
 * @example
 * app.use(scalekitScim({
 *   onUserUpserted: (event) => accounts.upsert(event.data),
 *   onUserDeactivated: (event) => accounts.disable(event.data),
 *   onUserDeleted: (event) => accounts.disable(event.data),
 * }))
 */
export function scalekitScim(options: ScalekitScimOptions = {}): ScalekitScim {
  requireObject(options)
  const { path = defaultPath, receiver: shared, ...rest } = options
  if (path !== false) requireLiteral(path)
  const receiver = receiverFrom(shared, rest)
  let warnedOfPassing = false

  const middleware = async (req: Request, res: Response, next: () => void): Promise<void> => {
    if (path !== false && withoutTrailingSlash(req.baseUrl + req.path) !== withoutTrailingSlash(path)) {
      if (req.headers['webhook-signature'] !== undefined && !warnedOfPassing) {
        // Only then is it known whether another mount has taken it.
        res.once('finish', () => {
          if (taken.has(req) || warnedOfPassing) return
          warnedOfPassing = true
          warnOfPassing(receiver, path)
        })
      }
      return next()
    }
    taken.add(req)
    const reply = await receiver.receive({
      method: req.method,
      url: req.originalUrl,
      headers: req.headers,
      params: req.params as Record<string, string>,
      body: capture(req),
    })
    // Another middleware (a time-out, say) may have answered, or the sender be gone.
    if (res.headersSent || res.destroyed) return
    try {
      res.writeHead(reply.status, reply.headers)
      res.end(req.method === 'HEAD' ? undefined : reply.body)
    } catch (error) {
      // Express 4 would let what another middleware throws in here end the process.
      receiver.log.error(
        { errorName: (error as Error).name },
        'the reply could not be sent: another middleware failed',
      )
      res.destroy()
    }
  }
  return Object.assign(middleware, { receiver })
}

/** The requests that a middleware of ours answers. */
const taken = new WeakSet<Request>()

/** Before they are taken apart: of text each character would be an option. */
function requireObject(options: unknown): void {
  if (typeof options === 'object' && options !== null) return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    'The options must be an object: `scalekitScim({ secret, onUserUpserted })`.',
  )
}

/** A pattern would never match, for the path is compared as it stands. */
function requireLiteral(path: string): void {
  requirePath(path)
  if (!/\/:|[*{}]/.test(path)) return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    '`path` is compared as it stands, so a pattern never matches. Leave the pattern to Express: ' +
      "`app.post('/hooks/:env', scalekitScim({ path: false, … }))`.",
    'path',
  )
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

function warnOfPassing({ log }: Receiver, path: string): void {
  log.warn(
    { path },
    'a signed request went by to another path: set `path` to the whole path as it arrives here, mount and all and without what a proxy takes off, or `path: false`',
  )
}
