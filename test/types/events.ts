import {
  createDispatcher,
  type DirectoryEvent,
  type DirectoryUser,
  type HandlerContext,
  type Handlers,
  isDirectoryEvent,
  type ScimEvent,
  type UserCreatedEvent,
} from '@scalekit-scim/core'
import { type Equal, holds } from './holds.ts'

// isDirectoryEvent selects the eight directory events. After that, event.type narrows event.data.
export function narrow(event: ScimEvent): string | undefined {
  if (!isDirectoryEvent(event)) {
    holds<Equal<typeof event.data, Record<string, unknown>>>()
    return event.type
  }
  holds<Equal<typeof event, DirectoryEvent>>()
  switch (event.type) {
    case 'organization.directory.user_created':
    case 'organization.directory.user_updated':
      holds<Equal<typeof event.data, DirectoryUser>>()
      return event.data.given_name ?? undefined
    case 'organization.directory.user_deleted':
      // @ts-expect-error a deletion has no given_name
      return event.data.given_name
    case 'organization.directory.group_created':
    case 'organization.directory.group_updated':
    case 'organization.directory.group_deleted':
      // @ts-expect-error a group has no email
      event.data.email
      return event.data.display_name ?? undefined
    case 'organization.directory_enabled':
    case 'organization.directory_disabled':
      return event.data.provider ?? undefined
    default:
      holds<Equal<typeof event, never>>()
      return undefined
  }
}

// In onEvent, event.type alone does not narrow: another event could have any type.
export const onEvent: Handlers['onEvent'] = (event) => {
  if (event.type === 'organization.directory.user_created') {
    // @ts-expect-error only isDirectoryEvent excludes other events
    event.data.given_name?.trim()
  }
  if (isDirectoryEvent(event) && event.type === 'organization.directory.user_created') {
    holds<Equal<typeof event.data, DirectoryUser>>()
  }
}

export function notNarrowed(event: ScimEvent): void {
  // @ts-expect-error data is not yet narrowed to a user's
  event.data.given_name.toUpperCase()
}

// Handlers need no type annotations.
export const handlers: Handlers = {
  onUserUpserted: (event, ctx) => {
    holds<
      Equal<typeof event.type, 'organization.directory.user_created' | 'organization.directory.user_updated'>
    >()
    holds<Equal<typeof event.data, DirectoryUser>>()
    holds<Equal<typeof ctx, HandlerContext>>()
    // @ts-expect-error misspelt
    event.data.givenname
    // @ts-expect-error only the SDK uses camel case
    event.data.givenName
    // @ts-expect-error an email may be null or absent
    event.data.email.toLowerCase()
    event.data.groups?.map((group) => group.name?.trim())
    event.data.roles?.map((role) => role.role_name.trim())
  },
  onUserDeleted: ({ data }) => {
    data.id.trim()
    // @ts-expect-error a deletion has no active
    data.active
  },
  onGroupDeleted: ({ data, type }) => {
    holds<Equal<typeof type, 'organization.directory.group_deleted'>>()
    // @ts-expect-error only user events carry memberships
    data.members
  },
  onDirectoryDisabled: ({ data }) => {
    data.enabled?.valueOf()
    // @ts-expect-error a directory has no email
    data.email
  },
  onEvent: (event) => {
    holds<Equal<typeof event, ScimEvent>>()
  },
  on: {
    'organization.created': (event) => {
      holds<Equal<typeof event.data, Record<string, unknown>>>()
      // @ts-expect-error other events need no time
      event.occurred_at.trim()
    },
  },
}

export function context(ctx: HandlerContext): void {
  holds<Equal<typeof ctx.source, 'webhook' | 'sync' | 'manual'>>()
  holds<Equal<typeof ctx.idempotencyKey, string>>()
  holds<Equal<typeof ctx.occurredAt, string>>()
  holds<Equal<typeof ctx.deadline, Date>>()
  holds<Equal<typeof ctx.signal, AbortSignal>>()
  ctx.log.info({ id: 1 }, 'message')
  // @ts-expect-error fields come first
  ctx.log.info('message', { id: 1 })
  // @ts-expect-error misspelt
  ctx.idempotency_key
}

// Handlers can be asynchronous, and return any value.
export const results: Handlers = {
  onUserCreated: async () => 1,
  onUserUpdated: () => Promise.resolve(),
  onUserDeleted: () => 'done',
}

// @ts-expect-error misspelt
export const misspelt: Handlers = { onUserUpsertd: () => {} }
// @ts-expect-error a type has a dot
export const noType: Handlers = { on: { created: () => {} } }
// @ts-expect-error not a function
export const noFunction: Handlers = { onUserCreated: 'accounts.create' }
// @ts-expect-error a user's handler does not take a group's event
export const crossed: Handlers = { onGroupCreated: (event: UserCreatedEvent) => event.data }

// An application's own event is checked like Scalekit's.
export async function dispatch(user: DirectoryUser): Promise<void> {
  const dispatcher = createDispatcher({ ...handlers })
  const { outcome } = await dispatcher.dispatch(
    {
      id: 'evt_1',
      type: 'organization.directory.user_updated',
      occurred_at: '2026-11-23T09:00:00Z',
      organization_id: user.organization_id,
      data: user,
    },
    { source: 'manual', idempotencyKey: 'msg_1' },
  )
  // @ts-expect-error not an outcome of a dispatch
  if (outcome === 'invalid-signature') return
}
