import { ConfigurationError, type Receiver, type ReceiverOptions } from '@scalekit-scim/core'
import { defaultPath, receiverFrom, requireOptions, requirePath } from '@scalekit-scim/core/adapter'
import type { Request, RequestHandler, Response } from 'express'
import { attemptOf, isHead, isSigned, pathOf } from './request.ts'

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
  type On,
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
 *   onAccessEnded: (event) => accounts.disable(event.data), // deactivated or deleted
 * }))
 */
export function scalekitScim(options: ScalekitScimOptions = {}): ScalekitScim {
  requireOptions(options, 'app.use(scalekitScim({ onUserUpserted }))')
  const { path = defaultPath, receiver: shared, ...rest } = options
  if (path !== false) requireLiteral(path)
  const receiver = receiverFrom(shared, rest)
  let warnedOfPassing = false

  const middleware = async (req: Request, res: Response, next: () => void): Promise<void> => {
    const arrived = path === false ? undefined : pathOf(req)
    if (path !== false && arrived !== undefined && !isSamePath(arrived, path)) {
      if (isSigned(req) && !warnedOfPassing) {
        // Only then is it known whether another mount has taken it.
        res.once('finish', () => {
          if (taken.has(req) || warnedOfPassing) return
          warnedOfPassing = true
          warnOfPassing(receiver, path, arrived)
        })
      }
      return next()
    }
    taken.add(req)
    const reply = await receiver.receive(attemptOf(req, path === false || arrived !== undefined))
    // Another middleware (a time-out, say) may have answered, or the sender be gone.
    if (res.headersSent || res.destroyed) return
    try {
      res.writeHead(reply.status, reply.headers)
      res.end(isHead(req) ? undefined : reply.body)
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

function isSamePath(arrived: string, path: string): boolean {
  return withoutTrailingSlash(arrived) === withoutTrailingSlash(path)
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/** Anybody may send a path of any length. */
const loggedPathLength = 200

function warnOfPassing({ log }: Receiver, path: string, arrived: string): void {
  log.warn(
    { path, arrived: arrived.slice(0, loggedPathLength) },
    'a signed request went by to another path. If it was for this endpoint, set `path` to the path in `arrived`, or to `false`',
  )
}
