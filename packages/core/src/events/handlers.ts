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
   * `dir_…`: the customer's directory. Always set by the sync and by group and directory webhooks. User webhooks
   * usually do not have it. Store it if it is set. Otherwise keep your stored value.
   */
  directoryId?: string
  /**
   * The message's id, the same for all its attempts. Use it as the key for effects elsewhere (a payment, a job). It
   * contains no `:`, which some job queues refuse. A sync event has a new key in each pass.
   */
  idempotencyKey: string
  /**
   * The watermark that this event's commit writes: UTC with exactly nine decimals, so that comparing two as text
   * compares the times. Store it with your row, and write only if the row's value is older.
   */
  occurredAt: string
  /** After this time the answer is 503. The handler may continue: the retry finds the message done. */
  deadline: Date
  /**
   * Aborts if the lease is lost, after `handlerTimeoutSeconds`, or when the grace of `close()` ends. It does not abort at
   * the deadline, so you can pass it to `fetch`.
   */
  signal: AbortSignal
  /** The request's logger, if the framework has one. Otherwise the receiver's. */
  log: Logger
}

/**
 * A handler of your application. It is done when the returned promise, or each promise of a returned list, has
 * resolved. If it throws, the sender tries again. To skip an event for good, throw `DropEvent`.
 */
export type EventHandler<Event> = (event: Event, ctx: HandlerContext) => unknown

/**
 * Your handlers. Events of one resource run one at a time, and the newest wins. A create that an update has overtaken
 * never runs, so write each user and group handler as an upsert.
 */
export interface Handlers {
  /** Created users. Write an upsert: the user may exist already. */
  onUserCreated?: EventHandler<UserCreatedEvent> | undefined
  /** Updated users. An update may be the first event of a user. */
  onUserUpdated?: EventHandler<UserUpdatedEvent> | undefined
  /** Created and updated users without a narrower handler. Start with this handler. */
  onUserUpserted?: EventHandler<UserCreatedEvent | UserUpdatedEvent> | undefined
  /**
   * Events that end a person's access and have no narrower handler: created or updated with `active: false`, and
   * deleted. End sessions, tokens and API keys here. Such an event may be the first of a user, and may repeat. With
   * this handler, `active: false` does not reach `onUserCreated`, `onUserUpdated` or `onUserUpserted`.
   */
  onAccessEnded?: EventHandler<UserCreatedEvent | UserUpdatedEvent | UserDeletedEvent> | undefined
  /**
   * Created or updated users with `active: false`. Such an event may be the first of a user. Without this handler, the
   * event goes to `onAccessEnded`, otherwise to `onUserCreated`, `onUserUpdated` or `onUserUpserted`.
   */
  onUserDeactivated?: EventHandler<UserCreatedEvent | UserUpdatedEvent> | undefined
  /**
   * Deleted users. Without this handler, they go to `onAccessEnded`. A deletion has only `id`, `organization_id`, `dp_id`
   * and `email`. Keep a tombstone.
   */
  onUserDeleted?: EventHandler<UserDeletedEvent> | undefined
  /** Created groups. User events carry the memberships. */
  onGroupCreated?: EventHandler<GroupCreatedEvent> | undefined
  /** Updated groups. An update may be the first event of a group. */
  onGroupUpdated?: EventHandler<GroupUpdatedEvent> | undefined
  /** Created and updated groups without a narrower handler. */
  onGroupUpserted?: EventHandler<GroupCreatedEvent | GroupUpdatedEvent> | undefined
  /** Deleted groups. Each member also gets a `user_updated` event. */
  onGroupDeleted?: EventHandler<GroupDeletedEvent> | undefined
  /** Enabled directories. Use the event's type, not `data.enabled`. */
  onDirectoryEnabled?: EventHandler<DirectoryEnabledEvent> | undefined
  /** Disabled directories, which send no more events. Their users are not deleted. */
  onDirectoryDisabled?: EventHandler<DirectoryDisabledEvent> | undefined
  /**
   * Each processed event, before its own handler. Runs again on a retry. `event.type` does not narrow `event.data` by
   * itself: call `isDirectoryEvent(event)` first.
   */
  onEvent?: EventHandler<ScimEvent> | undefined
  /** Other Scalekit events, by type: `{ 'organization.created': (event) => … }`. */
  on?: { readonly [type: `${string}.${string}`]: EventHandler<OtherEvent> | undefined } | undefined
}

export type HandlerName = Exclude<keyof Handlers, 'on'>
