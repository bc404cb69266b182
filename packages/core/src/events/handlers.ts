import { ConfigurationError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { misspeltEventType } from './event-types.ts'
import {
  type DirectoryDisabledEvent,
  type DirectoryEnabledEvent,
  type directoryEventTypes,
  type GroupCreatedEvent,
  type GroupDeletedEvent,
  type GroupUpdatedEvent,
  isDirectoryEvent,
  type OtherEvent,
  type ScimEvent,
  type UserCreatedEvent,
  type UserDeletedEvent,
  type UserUpdatedEvent,
} from './events.ts'

/** Which feed an event came by. */
export type EventSource = 'webhook' | 'sync' | 'manual'

/** What a handler is told beside the event. */
export interface HandlerContext {
  /** 'webhook', 'sync' for what the directory sync found, or 'manual' for your own `dispatch()`. */
  source: EventSource
  /**
   * `dir_…`: the customer's directory that it comes from. The sync always knows, a webhook of a group or a directory
   * says it, one of a user does not: store it where it is there, and keep what you have where it is not.
   */
  directoryId?: string
  /**
   * The message's id, the same over all its attempts: the key for what you do elsewhere (a payment, a job). Has no
   * `:`, which some job queues refuse. A sync's key is new in each pass.
   */
  idempotencyKey: string
  /**
   * The watermark that this event's commit writes: UTC with exactly nine decimals, comparable as text. Store it
   * with your row, and write only where the row's is older.
   */
  occurredAt: string
  /** When an answer would come too late, and becomes 503. The handler may go on: the retry finds it done. */
  deadline: Date
  /**
   * Aborts when the lease is lost, after `handlerTimeoutSeconds`, or when `close()`'s grace ends; not at the
   * deadline, so it is safe to hand to `fetch`.
   */
  signal: AbortSignal
  /** The request's logger where the framework has one. */
  log: Logger
}

/** A handler. It is done when what it returns, a promise or a list of them, has resolved; what it throws makes the sender try again. */
export type On<Event> = (event: Event, ctx: HandlerContext) => unknown

/**
 * What your application does with events. Events of one resource run one at a time and the newest wins, so a
 * create that was overtaken by an update never runs: write every user and group handler as an upsert.
 */
export interface Handlers {
  /** Created users. Still an upsert: the user may be known already. */
  onUserCreated?: On<UserCreatedEvent> | undefined
  /** Updated users; it may be the first that you hear of one. */
  onUserUpdated?: On<UserUpdatedEvent> | undefined
  /** Created and updated users that no narrower handler takes. The one to begin with. */
  onUserUpserted?: On<UserCreatedEvent | UserUpdatedEvent> | undefined
  /**
   * Every event that ends a person's access and has no narrower handler: created or updated with `active: false`, and
   * deleted. End sessions, tokens and API keys here. It may be the first event of a user, and it may come again. With this
   * handler, `active: false` does not reach created, updated or upserted.
   */
  onAccessEnded?: On<UserCreatedEvent | UserUpdatedEvent | UserDeletedEvent> | undefined
  /**
   * Created or updated with `active: false`; it may be the first that you hear of a user. Without this handler
   * such an event goes to `onAccessEnded`, else to created, updated or upserted.
   */
  onUserDeactivated?: On<UserCreatedEvent | UserUpdatedEvent> | undefined
  /** Deleted users; without this handler they go to `onAccessEnded`. A deletion carries `id`, `organization_id`, `dp_id` and `email` alone. Keep a tombstone. */
  onUserDeleted?: On<UserDeletedEvent> | undefined
  /** Created groups. Who is in them comes with the users. */
  onGroupCreated?: On<GroupCreatedEvent> | undefined
  /** Updated groups; it may be the first that you hear of one. */
  onGroupUpdated?: On<GroupUpdatedEvent> | undefined
  /** Created and updated groups that no narrower handler takes. */
  onGroupUpserted?: On<GroupCreatedEvent | GroupUpdatedEvent> | undefined
  /** Deleted groups. A `user_updated` comes for each member too. */
  onGroupDeleted?: On<GroupDeletedEvent> | undefined
  /** A directory was switched on. Go by the event's type, never by `data.enabled`. */
  onDirectoryEnabled?: On<DirectoryEnabledEvent> | undefined
  /** A directory was switched off: nothing more comes from it. Its users are not deleted by that. */
  onDirectoryDisabled?: On<DirectoryDisabledEvent> | undefined
  /** Every event that is processed, before its own handler; again on a retry. */
  onEvent?: On<ScimEvent> | undefined
  /** Any other event of Scalekit's, by its type: `{ 'organization.created': (event) => … }`. */
  on?: { readonly [type: `${string}.${string}`]: On<OtherEvent> | undefined } | undefined
}

export type HandlerName = Exclude<keyof Handlers, 'on'>

type AnyHandler = (event: never, ctx: HandlerContext) => unknown

/** A handler that is sure to get the event that it asks for. */
export type Step = (ctx: HandlerContext) => unknown

/** Which handlers may take an event of a type, the narrowest first. */
const candidates: Readonly<Record<(typeof directoryEventTypes)[number], readonly HandlerName[]>> = {
  'organization.directory.user_created': ['onUserCreated', 'onUserUpserted'],
  'organization.directory.user_updated': ['onUserUpdated', 'onUserUpserted'],
  'organization.directory.user_deleted': ['onUserDeleted', 'onAccessEnded'],
  'organization.directory.group_created': ['onGroupCreated', 'onGroupUpserted'],
  'organization.directory.group_updated': ['onGroupUpdated', 'onGroupUpserted'],
  'organization.directory.group_deleted': ['onGroupDeleted'],
  'organization.directory_enabled': ['onDirectoryEnabled'],
  'organization.directory_disabled': ['onDirectoryDisabled'],
}

export const handlerNames: readonly HandlerName[] = [
  ...new Set(Object.values(candidates).flat()),
  'onUserDeactivated',
  'onEvent',
]

/** The steps that an event takes, in order; none where no function is there for it. */
export type Router = (event: ScimEvent) => Step[]

/** @throws ConfigurationError for a handler that is no function, or a directory's type under `on`. */
export function createRouter(handlers: Handlers): Router {
  for (const name of handlerNames) requireFunction(handlers[name], name)
  const { on = {} } = handlers
  if (typeof on !== 'object' || on === null || Symbol.iterator in on) throw notAnObject()
  const others = new Map(Object.entries(on))
  for (const [type, handler] of others) {
    requireFunction(handler, `on['${type}']`)
    if (!type.includes('.') || type.includes('*')) throw notAnEventType(type)
    if (isDirectoryEvent({ type } as ScimEvent)) throw directoryTypeUnderOn(type)
    const meant = misspeltEventType(type)
    if (meant !== undefined) throw misspeltTypeUnderOn(type, meant)
  }

  const narrowest = (event: ScimEvent): AnyHandler | undefined => {
    if (!isDirectoryEvent(event)) return others.get(event.type)
    const ending: readonly HandlerName[] = isDeactivation(event) ? ['onUserDeactivated', 'onAccessEnded'] : []
    const name = [...ending, ...candidates[event.type]].find((name) => handlers[name])
    return name && (handlers[name] as AnyHandler)
  }

  return (event) =>
    [handlers.onEvent, narrowest(event)]
      .filter((handler) => handler !== undefined)
      .map((handler) => (ctx) => handler(event as never, ctx))
}

function isDeactivation(event: ScimEvent): boolean {
  return (
    (event.type === 'organization.directory.user_created' ||
      event.type === 'organization.directory.user_updated') &&
    event.data.active === false
  )
}

function requireFunction(handler: unknown, name: string): void {
  if (handler === undefined || typeof handler === 'function') return
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_HANDLER',
    `\`${name}\` must be a function: give the function itself, not what a call of it returns.`,
    name,
  )
}

function notAnObject(): ConfigurationError {
  return new ConfigurationError(
    'ERR_SCIM_INVALID_HANDLER',
    "`on` must be an object of handlers by event type: `{ 'organization.created': (event) => … }`.",
    'on',
  )
}

function notAnEventType(type: string): ConfigurationError {
  return new ConfigurationError(
    'ERR_SCIM_INVALID_HANDLER',
    `\`on['${type}']\` is not an event type. Give a full type, such as 'organization.created'; there are no wildcards. \`onEvent\` gets every event.`,
    'on',
  )
}

function misspeltTypeUnderOn(type: string, meant: string): ConfigurationError {
  const names = handlersOf(meant)
  return new ConfigurationError(
    'ERR_SCIM_INVALID_HANDLER',
    `\`on['${type}']\` would never be called: Scalekit has no such event type. ` +
      (names ? `For '${meant}' use \`${names}\`.` : `Did you mean '${meant}'?`),
    'on',
  )
}

/** The handlers of a directory event, for a message. */
function handlersOf(type: string): string | undefined {
  return Object.entries(candidates)
    .find(([candidate]) => candidate === type)?.[1]
    .join('` or `')
}

function directoryTypeUnderOn(type: string): ConfigurationError {
  const names = handlersOf(type)
  return new ConfigurationError(
    'ERR_SCIM_INVALID_HANDLER',
    `\`on['${type}']\` is a directory event: use \`${names}\`, so that it is deduplicated and ordered with the rest.`,
    'on',
  )
}
