import { ConfigurationError, type Receiver, type ReceiverOptions } from '@scalekit-scim/core'
import { defaultPath, receiverFrom, requireOptions, requirePath } from '@scalekit-scim/core/adapter'
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyRequest,
  HTTPMethods,
  RegisterOptions,
  RouteShorthandOptions,
} from 'fastify'
import fp from '#fastify-plugin'
import { type Handler, handlerOf } from './handler.ts'

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
   * The path of the endpoint, after the `prefix` of the registration.
   * @default '/webhooks/scalekit'
   */
  path?: string | undefined
  /** A receiver made with `createReceiver`, for several registrations of one. It is yours to close. */
  receiver?: Receiver | undefined
  /**
   * Whether the receiver becomes `fastify.scalekitScim`. A second registration decorates nothing.
   * @default true
   */
  decorate?: boolean | undefined
  /**
   * What other plugins read from a route: `{ config: { rateLimit: false }, schema: { hide: true } }`, say. No schema of
   * the `body`: it is bytes until it has verified, and then its events have their own.
   */
  route?: Pick<RouteShorthandOptions, 'config' | 'schema' | 'logLevel'> | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The receiver of the first registration that decorates. */
    scalekitScim: Receiver
  }
}

const plugin: FastifyPluginAsync<ScalekitScimOptions> = async (fastify, options) => {
  requireOptions(options, 'await fastify.register(scalekitScim, { onUserUpserted })')
  const {
    path = defaultPath,
    receiver: shared,
    decorate = true,
    route,
    prefix,
    ...rest
  } = withoutRegisterOptions(options)
  requirePath(path)
  requireBodyless(route)
  const receiver = receiverFrom(
    shared,
    shared || rest.logger !== undefined ? rest : { ...rest, logger: fastify.log },
  )
  const logsByRequest = !shared && rest.logger === undefined

  if (decorate && !fastify.hasDecorator('scalekitScim')) fastify.decorate('scalekitScim', receiver)
  if (!shared) closeWith(fastify, receiver)

  // A scope of its own, so that its body parser stays away from the host's routes. fastify-plugin takes the prefix
  // away with the encapsulation, so it is given again.
  await fastify.register(
    async (scope) => {
      const handler = handlerOf(receiver, logsByRequest)
      takeAnyBody(scope, handler)
      for (const url of slashForms(path, scope)) {
        scope.route({
          ...route,
          method: scope.supportedMethods as HTTPMethods[],
          url,
          exposeHeadRoute: false,
          handler,
        })
      }
    },
    prefix === undefined ? {} : { prefix },
  )
}

/**
 * Fastify 5 plugin that receives Scalekit's directory webhooks: it reads the raw body itself, verifies, deduplicates,
 * orders, and routes to your handlers. Your own routes keep their parsers, and your hooks run first.
 *
 * @throws ConfigurationError when an option is wrong, or no secret is there
 * @example
 * await fastify.register(scalekitScim, {
 *   onUserUpserted: (event) => accounts.upsert(event.data),
 *   onAccessEnded: (event) => accounts.disable(event.data), // deactivated or deleted
 * })
 */
export const scalekitScim = fp(plugin, { fastify: '5.x', name: '@scalekit-scim/fastify' })

export default scalekitScim

/** Fastify itself would refuse the route, for it answers GET as well, and says nothing of where the schema came from. */
function requireBodyless(route: ScalekitScimOptions['route']): void {
  if (route?.schema?.body === undefined) return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    '`route.schema` must have no `body`: what is received are bytes, which the plugin verifies and parses itself. ' +
      'Describe it in `route.schema.description`.',
    'route',
  )
}

/** New attempts are refused as soon as the server closes; it is closed when the last handler has ended. */
function closeWith(fastify: FastifyInstance, receiver: Receiver): void {
  fastify.addHook('preClose', async () => {
    void receiver.close()
  })
  fastify.addHook('onClose', () => receiver.close())
}

/** Hands every body on as the stream that it is, whatever type it says, or none. */
function takeAnyBody(scope: FastifyInstance, handler: Handler): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    // A host's hook may have put a stream of its own here, and a refused body is never read: nobody else would hear it.
    payload.on('error', () => {})
    done(null, payload)
  })
  scope.addHook('onRequest', async (request, reply) => {
    let headers: FastifyRequest['headers']
    try {
      headers = request.headers
    } catch {
      // A host's getter throws. Fastify would answer for us.
      return handler(request, reply)
    }
    // Fastify itself refuses a type that it cannot parse, before any parser is asked.
    request.headers = { ...headers, 'content-type': 'application/octet-stream' }
  })
}

/** With and without a slash at its end; one is enough where the host takes them for the same. */
function slashForms(path: string, { initialConfig }: FastifyInstance): string[] {
  const bare = path.endsWith('/') ? path.slice(0, -1) : path
  if (bare === '') return ['/']
  return initialConfig.ignoreTrailingSlash || initialConfig.routerOptions?.ignoreTrailingSlash
    ? [bare]
    : [bare, `${bare}/`]
}

/** The options without what Fastify's `register` takes for itself, of which the prefix is still of use. */
function withoutRegisterOptions(options: ScalekitScimOptions & RegisterOptions) {
  const { logLevel: _, logSerializers: __, ...own } = options
  return own
}
