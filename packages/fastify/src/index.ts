import { ConfigurationError, type Receiver } from '@scalekit-scim/core'
import {
  type AdapterOptions,
  defaultPath,
  readSafely,
  receiverFrom,
  requireOptions,
  requirePath,
} from '@scalekit-scim/core/adapter'
import type {
  FastifyInstance,
  FastifyPluginAsync,
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
   * The endpoint's path, after the `prefix` of the registration.
   * @default '/webhooks/scalekit'
   */
  path?: string | undefined
  /**
   * Whether to decorate Fastify with the receiver, as `fastify.scalekitScim`. Only the first such registration
   * decorates Fastify.
   * @default true
   */
  decorate?: boolean | undefined
  /**
   * Route options for other plugins: `{ config: { rateLimit: false }, schema: { hide: true } }`. The plugin refuses a
   * schema for `body`, because it verifies and parses the raw bytes itself.
   */
  route?: Pick<RouteShorthandOptions, 'config' | 'schema' | 'logLevel'> | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The receiver of the first registration with `decorate: true`. */
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
    // Fastify itself uses these two options.
    logLevel: _,
    logSerializers: __,
    ...rest
  }: ScalekitScimOptions & RegisterOptions = options
  requirePath(path)
  requireBodyless(route)
  const logsByRequest = !shared && rest.logger === undefined
  const receiverOptions = logsByRequest ? { ...rest, logger: fastify.log } : rest
  const receiver = receiverFrom(shared, receiverOptions, ['path', 'receiver', 'decorate', 'route'])
  if (decorate && !fastify.hasDecorator('scalekitScim')) fastify.decorate('scalekitScim', receiver)
  if (!shared) closeWith(fastify, receiver)

  // In a separate scope, the plugin's body parser does not affect the host's routes. The scope sets the prefix again,
  // because fastify-plugin removes the encapsulation and the prefix.
  await fastify.register(
    async (scope) => {
      const handler = handlerOf(receiver, logsByRequest)
      acceptAnyBody(scope, handler)
      const method = scope.supportedMethods as HTTPMethods[]
      for (const url of slashForms(path, scope)) {
        scope.route({ ...route, method, url, exposeHeadRoute: false, handler })
      }
    },
    prefix === undefined ? {} : { prefix },
  )
}

/**
 * Fastify 5 plugin that receives Scalekit's directory webhooks. The plugin reads the raw body, verifies the signature,
 * ignores duplicates, orders the events, and calls your handlers. The plugin does not change the parsers of your own
 * routes. Your hooks run first.
 *
 * @throws ConfigurationError if an option is wrong, or no secret is set
 * @example
 * await fastify.register(scalekitScim, {
 *   onUserUpserted: (event) => accounts.upsert(event.data),
 *   onAccessEnded: (event) => accounts.disable(event.data), // deactivated or deleted
 * })
 */
export const scalekitScim = fp(plugin, { fastify: '5.x', name: '@scalekit-scim/fastify' })

export default scalekitScim

/**
 * Fastify also refuses such a route, because the route answers GET. Fastify's message does not contain the name of the
 * option, so the plugin throws its own error first.
 */
function requireBodyless(route: ScalekitScimOptions['route']): void {
  if (route?.schema?.body === undefined) return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    '`route.schema` must not have a `body`, because the plugin verifies and parses the bytes itself. ' +
      'Describe the body in `route.schema.description`.',
    'route',
  )
}

/** Refuses new attempts as soon as the server begins to close. Closing the server waits for the running handlers. */
function closeWith(fastify: FastifyInstance, receiver: Receiver): void {
  fastify.addHook('preClose', async () => {
    void receiver.close()
  })
  fastify.addHook('onClose', () => receiver.close())
}

/** Passes each body to the handler as a stream, with any content type or without a content type. */
function acceptAnyBody(scope: FastifyInstance, handler: Handler): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    // If a host's hook replaces the stream, or the plugin does not read a refused body, no other code listens for
    // errors of this stream. Without this listener, an error would end the process.
    payload.on('error', () => {})
    done(null, payload)
  })
  scope.addHook('onRequest', (request, reply, done) => {
    const headers = readSafely(() => request.headers)
    // A getter of the host threw. Reply here, because Fastify would reply with its own error.
    if (headers === undefined) return void handler(request, reply).catch(done)
    // Fastify refuses a malformed content type before it calls a parser.
    if (headers['content-type'] !== 'application/json') {
      request.headers = { ...headers, 'content-type': 'application/octet-stream' }
    }
    done()
  })
}

/** Returns the path with and without a final slash. If the host ignores the slash, returns only one form. */
function slashForms(path: string, { initialConfig }: FastifyInstance): string[] {
  const bare = path.replace(/\/$/, '')
  if (bare === '') return ['/']
  return initialConfig.ignoreTrailingSlash || initialConfig.routerOptions?.ignoreTrailingSlash
    ? [bare]
    : [bare, `${bare}/`]
}
