import type { Logger } from '../base/logger.ts'
import type {
  DirectoryDisabledEvent,
  DirectoryEnabledEvent,
  GroupCreatedEvent,
  GroupDeletedEvent,
  GroupUpdatedEvent,
  OtherEvent,
  ScimEvent,
  UserCreatedEvent,
  UserDeletedEvent,
  UserUpdatedEvent,
} from './events.ts'

/** 'webhook': from Scalekit. 'sync': from the directory sync. 'manual': from your call of `dispatch()`. */
export type EventSource = 'webhook' | 'sync' | 'manual'

/** The second argument of a handler. */
export interface HandlerContext {
  /** The origin of the event. */
  source: EventSource
  /**
   * `dir_…`: the customer's directory. Always set by the sync and by group and directory webhooks. Usually absent in
   * user webhooks. If the id is set, store it. If the id is absent, do not change your stored value.
   */
  directoryId?: string
  /**
   * The message's id, the same for all attempts at the message. Use this id as the idempotency key in other systems (a
   * payment, a job). The key contains no `:`, because some job queues refuse that character. A sync event has a new key
   * in each pass.
   */
  idempotencyKey: string
  /**
   * The watermark that this event's commit writes: UTC with exactly nine decimals. To compare two of these times,
   * compare the texts. Store this time with your row. If the row's stored time is not older, do not write the row.
   */
  occurredAt: string
  /**
   * After this time, the sender gets a 503. The handler can continue. After the handler succeeds, the sender's retry is
   * a duplicate.
   */
  deadline: Date
  /**
   * If the lease is lost, this signal aborts. The signal also aborts after `handlerTimeoutSeconds`, and when the grace
   * period of `close()` ends. The signal does not abort at the deadline, so you can pass the signal to `fetch`.
   */
  signal: AbortSignal
  /** The request's logger. If the framework does not provide a logger, this is the receiver's logger. */
  log: Logger
}

/**
 * A handler of your application. When the returned promise, or each promise of a returned list, has resolved, the
 * handler is done. If the handler throws, the sender tries again. To skip an event permanently, throw `DropEvent`.
 */
export type EventHandler<Event> = (event: Event, ctx: HandlerContext) => unknown

/**
 * Your handlers. Events of one resource run one at a time. Older events are skipped. If an update arrives before the
 * create, the create never runs. So write each user and group handler as an upsert.
 */
export interface Handlers {
  /** Created users. Write an upsert, because the user can exist already. */
  onUserCreated?: EventHandler<UserCreatedEvent> | undefined
  /** Updated users. An update can be the first event of a user. */
  onUserUpdated?: EventHandler<UserUpdatedEvent> | undefined
  /** Created and updated users. If a narrower handler is set, this handler is not called. Start with this handler. */
  onUserUpserted?: EventHandler<UserCreatedEvent | UserUpdatedEvent> | undefined
  /**
   * Users who lose access: created or updated with `active: false`, or deleted. If a narrower handler is set, this
   * handler is not called. End sessions, tokens and API keys here. This event can be the first event of a user. The
   * event can repeat. If this handler is set, events with `active: false` do not reach `onUserCreated`, `onUserUpdated`
   * or `onUserUpserted`.
   */
  onAccessEnded?: EventHandler<UserCreatedEvent | UserUpdatedEvent | UserDeletedEvent> | undefined
  /**
   * Created or updated users with `active: false`. This event can be the first event of a user. If this handler is not
   * set, the event goes to `onAccessEnded`. If `onAccessEnded` is not set either, the event goes to `onUserCreated`,
   * `onUserUpdated` or `onUserUpserted`.
   */
  onUserDeactivated?: EventHandler<UserCreatedEvent | UserUpdatedEvent> | undefined
  /**
   * Deleted users. If this handler is not set, the event goes to `onAccessEnded`. The event has only `id`,
   * `organization_id`, `dp_id` and `email`. Store a tombstone, so that a late update cannot create the user again.
   */
  onUserDeleted?: EventHandler<UserDeletedEvent> | undefined
  /** Created groups, without their members. User events contain the memberships. */
  onGroupCreated?: EventHandler<GroupCreatedEvent> | undefined
  /** Updated groups. An update can be the first event of a group. */
  onGroupUpdated?: EventHandler<GroupUpdatedEvent> | undefined
  /** Created and updated groups. If a narrower handler is set, this handler is not called. */
  onGroupUpserted?: EventHandler<GroupCreatedEvent | GroupUpdatedEvent> | undefined
  /** Deleted groups. Each member also gets a `user_updated` event. */
  onGroupDeleted?: EventHandler<GroupDeletedEvent> | undefined
  /** Enabled directories. Use the event's type, not `data.enabled`. */
  onDirectoryEnabled?: EventHandler<DirectoryEnabledEvent> | undefined
  /** Disabled directories, which send no more events. The users of a disabled directory are not deleted. */
  onDirectoryDisabled?: EventHandler<DirectoryDisabledEvent> | undefined
  /**
   * All events, except duplicates and superseded events. `onEvent` runs before the event's own handler. On a retry,
   * `onEvent` runs again. Before you compare `event.type` to narrow `event.data`, call `isDirectoryEvent(event)`.
   */
  onEvent?: EventHandler<ScimEvent> | undefined
  /** Other Scalekit events, by type: `{ 'organization.created': (event) => … }`. */
  on?: { readonly [type: `${string}.${string}`]: EventHandler<OtherEvent> | undefined } | undefined
}

export type HandlerName = Exclude<keyof Handlers, 'on'>
