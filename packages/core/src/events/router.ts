import { ConfigurationError } from '../base/errors.ts'
import { directoryEvents, isDirectoryEvent } from './directory-events.ts'
import { misspeltEventType } from './event-types.ts'
import type { DirectoryEvent, DirectoryEventType, ScimEvent } from './events.ts'
import type { HandlerContext, HandlerName, Handlers } from './handlers.ts'

/** The handlers that can receive each event type. The narrowest handler comes first. */
const candidates: Readonly<Record<DirectoryEventType, readonly HandlerName[]>> = {
  'organization.directory.user_created': ['onUserCreated', 'onUserUpserted'],
  'organization.directory.user_updated': ['onUserUpdated', 'onUserUpserted'],
  'organization.directory.user_deleted': ['onUserDeleted', 'onAccessEnded'],
  'organization.directory.group_created': ['onGroupCreated', 'onGroupUpserted'],
  'organization.directory.group_updated': ['onGroupUpdated', 'onGroupUpserted'],
  'organization.directory.group_deleted': ['onGroupDeleted'],
  'organization.directory_enabled': ['onDirectoryEnabled'],
  'organization.directory_disabled': ['onDirectoryDisabled'],
}

/** If `active` is `false`, these handlers come before the candidates of the event's type. */
const deactivationCandidates: readonly HandlerName[] = ['onUserDeactivated', 'onAccessEnded']

export const handlerNames: readonly HandlerName[] = [
  ...new Set([...Object.values(candidates).flat(), ...deactivationCandidates, 'onEvent' as const]),
]

/** A handler that is already bound to its event. */
export type RoutedHandler = (ctx: HandlerContext) => unknown

/** Returns the handlers of an event in the sequence in which they run. */
export type Router = (event: ScimEvent) => RoutedHandler[]

/**
 * @throws ConfigurationError if a handler is not a function, or a key of `on` is not the type of a non-directory event
 */
export function createRouter(handlers: Handlers): Router {
  for (const name of handlerNames) requireFunction(handlers[name], name)
  const others = otherHandlers(handlers.on)

  const firstOf = (names: readonly HandlerName[]) => {
    const name = names.find((name) => handlers[name])
    return name && handlers[name]
  }
  const narrowest = (event: ScimEvent) => {
    if (!isDirectoryEvent(event)) return others.get(event.type)
    const ending = isDeactivation(event) ? firstOf(deactivationCandidates) : undefined
    return ending ?? firstOf(candidates[event.type])
  }
  return (event) => {
    const routed: RoutedHandler[] = []
    for (const handler of [handlers.onEvent, narrowest(event)]) {
      if (handler) routed.push((ctx) => handler(event as never, ctx))
    }
    return routed
  }
}

function isDeactivation(event: DirectoryEvent): boolean {
  const { kind, deletes } = directoryEvents[event.type]
  return kind === 'user' && !deletes && Reflect.get(event.data, 'active') === false
}

function otherHandlers(on: Handlers['on'] = {}) {
  if (typeof on !== 'object' || on === null || Symbol.iterator in on) {
    throw invalidHandler(
      'on',
      "`on` must be an object of handlers by event type: `{ 'organization.created': (event) => … }`.",
    )
  }
  for (const [type, handler] of Object.entries(on)) {
    requireFunction(handler, `on['${type}']`)
    const problem = problemOf(type)
    if (problem !== undefined) throw invalidHandler('on', `\`on['${type}']\` ${problem}`)
  }
  // The function returns a Map instead of `on`, because an event's type can be `constructor`.
  return new Map(Object.entries(on))
}

/** Returns the reason why a key of `on` is wrong, or `undefined` for a right key. */
function problemOf(type: string): string | undefined {
  if (!type.includes('.') || type.includes('*')) {
    return (
      "is not an event type. Use a full type, such as 'organization.created'. Wildcards are not supported. " +
      '`onEvent` receives every event.'
    )
  }
  const own = directoryHandlers(type)
  if (own)
    return `is a directory event. Use \`${own}\`, so that the event is deduplicated and ordered with the other events.`
  const meant = misspeltEventType(type)
  if (meant === undefined) return undefined
  const names = directoryHandlers(meant)
  const hint = names ? `For '${meant}' use \`${names}\`.` : `Did you mean '${meant}'?`
  return `is never called: Scalekit has no such event type. ${hint}`
}

function directoryHandlers(type: string): string | undefined {
  const row = Object.entries(candidates).find(([candidate]) => candidate === type)
  return row?.[1].join('` or `')
}

function requireFunction(handler: unknown, name: string): void {
  if (handler === undefined || typeof handler === 'function') return
  throw invalidHandler(
    name,
    `\`${name}\` must be a function. Pass the function itself, not the result of calling it.`,
  )
}

function invalidHandler(option: string, message: string): ConfigurationError {
  return new ConfigurationError('ERR_SCIM_INVALID_HANDLER', message, option)
}
