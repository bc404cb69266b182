import { ConfigurationError, type Receiver } from '@scalekit-scim/core'
import {
  type AdapterOptions,
  defaultPath,
  receiverFrom,
  requireOptions,
  requirePath,
} from '@scalekit-scim/core/adapter'
import type { Request, RequestHandler, Response } from 'express'
import { isHead, isSigned, pathOf, RequestAttempt } from './request.ts'

export {
  type Attempt,
  type Clock,
  type CloseOptions,
  ConfigurationError,
  type ConfigurationErrorCode,
  createDispatcher,
  createReceiver,
  type DeletedDirectoryUser,
  type Directory,
  type DirectoryDisabledEvent,
  type DirectoryEnabledEvent,
  type DirectoryEvent,
  type DirectoryEventType,
  type DirectoryGroup,
  type DirectoryUser,
  type Dispatcher,
  type DispatcherOptions,
  type DispatchOptions,
  type DispatchOutcome,
  type DispatchOutcomeName,
  DropEvent,
  type EventHandler,
  type EventSource,
  type GroupCreatedEvent,
  type GroupDeletedEvent,
  type GroupUpdatedEvent,
  type HandlerContext,
  type HandlerName,
  type Handlers,
  isDirectoryEvent,
  type KeyvLike,
  type Ledger,
  type Logger,
  mapRoles,
  type OtherEvent,
  type Outcome,
  type OutcomeReport,
  postgresLedgerSchema,
  type ReceiveResult,
  type Receiver,
  type ReceiverOptions,
  type Resource,
  type RoleMapping,
  type RoleSources,
  type ScimEvent,
  type SecretOption,
  type SecretRequest,
  type SecretResolver,
  type Store,
  StoreUnavailableError,
  type Timer,
  type UserCreatedEvent,
  type UserDeletedEvent,
  type UserGroup,
  type UserRole,
  type UserUpdatedEvent,
} from '@scalekit-scim/core'

export interface ScalekitScimOptions extends AdapterOptions {
  /**
   * Full request path, including any mount prefix. Case-sensitive. If `false`, the middleware answers every request
   * that reaches it: `app.post('/hooks/:env', scalekitScim({ path: false, … }))`.
   * @default '/webhooks/scalekit'
   */
  path?: string | false | undefined
}

/** The middleware, with its receiver: `middleware.receiver.close()` waits for running handlers. */
export type ScalekitScim = RequestHandler & { receiver: Receiver }

/**
 * Creates a middleware for Express 4 and 5 that receives Scalekit's directory webhooks. The middleware reads the raw
 * body, verifies the signature, ignores duplicates, orders the events, and calls your handlers. Mount the middleware
 * before `express.json()`.
 *
 * The middleware passes requests for another path to `next()` unchanged. The middleware answers all other requests. The
 * middleware never calls `next(err)`.
 *
 * @throws ConfigurationError if an option is wrong, or no secret is set
 * @example
 * app.use(scalekitScim({
 *   onUserUpserted: (event) => accounts.upsert(event.data),
 *   onAccessEnded: (event) => accounts.disable(event.data), // deactivated or deleted
 * }))
 */
export function scalekitScim(options: ScalekitScimOptions = {}): ScalekitScim {
  requireOptions(options, 'app.use(scalekitScim({ onUserUpserted }))')
  const { path = defaultPath, receiver: shared, ...rest } = options
  if (path !== false) requireLiteral(path)
  const receiver = receiverFrom(shared, rest, ['path', 'receiver'])
  const warnOfOtherPath = path === false ? undefined : otherPathWarning(receiver, path)

  const middleware = async (req: Request, res: Response, next: () => void): Promise<void> => {
    const requested = path === false ? undefined : pathOf(req)
    if (path !== false && requested !== undefined && !isSamePath(requested, path)) {
      if (isSigned(req)) warnOfOtherPath?.(req, res, requested)
      return next()
    }
    answered.add(req)
    const reply = await receiver.receive(new RequestAttempt(req, path === false || requested !== undefined))
    // Another middleware, such as a timeout, may already have answered, or the connection may be closed.
    if (res.headersSent || res.destroyed) return
    try {
      res.writeHead(reply.status, reply.headers)
      res.end(isHead(req) ? undefined : reply.body)
    } catch (error) {
      // Another middleware can throw during the reply. On Express 4, the error would end the process.
      receiver.log.error(
        { errorName: (error as Error).name },
        'the reply could not be sent, because another middleware threw',
      )
      res.destroy()
    }
  }
  return Object.assign(middleware, { receiver })
}

/** The requests that a middleware of this package answers. */
const answered = new WeakSet<Request>()

function requireLiteral(path: string): void {
  requirePath(path)
  if (!/\/:|[*{}]/.test(path)) return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    '`path` must be a literal path, because a pattern never matches. Pass the pattern to Express: ' +
      "`app.post('/hooks/:env', scalekitScim({ path: false, … }))`.",
    'path',
  )
}

function isSamePath(requested: string, path: string): boolean {
  return requested === path || requested.replace(/\/$/, '') === path.replace(/\/$/, '')
}

/** The maximum length of a path in the log. A sender can choose a path of any length. */
const loggedPathLength = 200

/** If no other mount has answered a signed request for another path, warns once. */
function otherPathWarning({ log }: Receiver, path: string) {
  let warned = false
  return (req: Request, res: Response, requested: string): void => {
    if (warned) return
    res.once('finish', () => {
      if (warned || answered.has(req)) return
      warned = true
      log.warn(
        { path, arrived: requested.slice(0, loggedPathLength) },
        'a signed request has another path. If the request was for this endpoint, set `path` to the path in `arrived`, or to `false`',
      )
    })
  }
}
