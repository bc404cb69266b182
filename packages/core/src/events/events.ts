// Each type of this file is public. Field names are the names that Scalekit sends. The interfaces are closed, so a
// misspelt field does not compile. Applications add fields of their own with `declare module '@scalekit-scim/core'`. At
// run time, unlisted fields also reach the handler. The compiler compares the interfaces with documented-fields.ts.

/**
 * A user of a customer's directory, as Scalekit sends it (RFC 7643, 4.1). If a field is absent or null, its value is
 * unknown. In this case, do not change your stored value.
 */
export interface DirectoryUser {
  /**
   * `diruser_…`. Use `organization_id` and this id together as the key. Do not use the email: it can change, or be
   * reassigned to another person.
   */
  id: string
  organization_id: string
  /** The user's id in the customer's directory. */
  dp_id?: string | null
  /** `false`: the user is deactivated, not deleted. Absent or null: unknown. */
  active?: boolean | null
  email?: string | null
  name?: string | null
  given_name?: string | null
  family_name?: string | null
  preferred_username?: string | null
  nickname?: string | null
  picture?: string | null
  phone_number?: string | null
  title?: string | null
  department?: string | null
  division?: string | null
  cost_center?: string | null
  employee_id?: string | null
  user_type?: string | null
  organization?: string | null
  language?: string | null
  locale?: string | null
  zoneinfo?: string | null
  profile?: string | null
  address?: Record<string, unknown> | null
  /** All groups of the user. Only user events contain memberships. */
  groups?: UserGroup[] | null
  roles?: UserRole[] | null
  custom_attributes?: Record<string, unknown> | null
  raw_attributes?: Record<string, unknown> | null
}

export interface UserGroup {
  /** `dirgroup_…` */
  id: string
  name?: string | null
}

export interface UserRole {
  role_name: string
}

/** The fields of a deleted user. */
export interface DeletedDirectoryUser {
  id: string
  organization_id: string
  dp_id?: string | null
  email?: string | null
}

/** A group of a customer's directory (RFC 7643, 4.2), without its members. */
export interface DirectoryGroup {
  /** `dirgroup_…` */
  id: string
  organization_id: string
  directory_id?: string | null
  display_name?: string | null
  external_id?: string | null
  dp_id?: string | null
  raw_attributes?: Record<string, unknown> | null
}

/**
 * A connection to a customer's directory. To find out whether the directory is enabled, use the event's type, not a
 * field.
 */
export interface Directory {
  /** `dir_…` */
  id: string
  organization_id: string
  directory_type?: string | null
  provider?: string | null
  enabled?: boolean | null
  updated_at?: string | null
  status?: string | null
  last_sync_at?: string | null
}

interface Envelope<Type extends string, Data> {
  /**
   * `evt_…`. If the payload does not contain an id, this is the message's id. To deduplicate, use `ctx.idempotencyKey`
   * instead.
   */
  id: string
  type: Type
  /** The sender's time of the change, with 0 to 9 decimals. To store or compare times, use `ctx.occurredAt` instead. */
  occurred_at: string
  organization_id: string
  spec_version?: string | null
  environment_id?: string | null
  object?: string | null
  display_name?: string | null
  data: Data
}

export interface UserCreatedEvent extends Envelope<'organization.directory.user_created', DirectoryUser> {}
export interface UserUpdatedEvent extends Envelope<'organization.directory.user_updated', DirectoryUser> {}
export interface UserDeletedEvent
  extends Envelope<'organization.directory.user_deleted', DeletedDirectoryUser> {}
export interface GroupCreatedEvent extends Envelope<'organization.directory.group_created', DirectoryGroup> {}
export interface GroupUpdatedEvent extends Envelope<'organization.directory.group_updated', DirectoryGroup> {}
export interface GroupDeletedEvent extends Envelope<'organization.directory.group_deleted', DirectoryGroup> {}
export interface DirectoryEnabledEvent extends Envelope<'organization.directory_enabled', Directory> {}
export interface DirectoryDisabledEvent extends Envelope<'organization.directory_disabled', Directory> {}

/** The eight directory events. `event.type` narrows `event.data`. */
export type DirectoryEvent =
  | UserCreatedEvent
  | UserUpdatedEvent
  | UserDeletedEvent
  | GroupCreatedEvent
  | GroupUpdatedEvent
  | GroupDeletedEvent
  | DirectoryEnabledEvent
  | DirectoryDisabledEvent

export type DirectoryEventType = DirectoryEvent['type']

/** Any other Scalekit event that reaches the same endpoint. */
export interface OtherEvent {
  id: string
  type: string
  occurred_at?: string
  organization_id?: string
  data: Record<string, unknown>
}

/**
 * Any event. Comparing `event.type` does not narrow this union, because `OtherEvent` can have any type. Call
 * `isDirectoryEvent(event)` first.
 */
export type ScimEvent = DirectoryEvent | OtherEvent

/** Identifies a user, group or directory by its id within its organization, never by email. */
export interface Resource {
  kind: 'user' | 'group' | 'directory'
  organizationId: string
  id: string
}
