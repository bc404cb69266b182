import { randomUUID } from 'node:crypto'
import type {
  DirectoryEvent,
  DirectoryGroup,
  DirectoryUser,
  GroupCreatedEvent,
  GroupUpdatedEvent,
  UserCreatedEvent,
  UserUpdatedEvent,
} from '@scalekit-scim/core'
import { formatInstant, type Instant } from '@scalekit-scim/core/internal'
import type { ApiGroup, ApiPage, ApiTimestamp, ApiUser, DirectoryApi, ListOptions } from './directory-api.ts'
import { attributesOf } from './user-attributes.ts'

/** A customer's directory. */
export interface DirectoryRef {
  /** `org_…` */
  organizationId: string
  /** `dir_…` */
  id: string
}

interface DirectoryRecord<Shape> {
  id: string
  organizationId: string
  directoryId: string
  /** The record, in the same form as in a webhook. Values that the API does not return are absent. */
  data: Shape
  /**
   * The time of Scalekit's last change of the record, in nanoseconds since 1970. Absent if the API did not return a
   * time.
   */
  updatedAt?: Instant
}

export interface UserRecord extends DirectoryRecord<DirectoryUser> {
  /** All groups of the user. If a request without details returned no groups, the field is absent. */
  groupIds?: readonly string[]
}

export interface GroupRecord extends DirectoryRecord<DirectoryGroup> {}

/**
 * The fields that the sync compares with the application's record. For an unchanged record, the sync does not compute
 * other fields.
 */
export type ComparedRecord = Pick<UserRecord, 'id' | 'updatedAt' | 'groupIds'>

export type RecordChange = 'created' | 'updated'

/** One page of users or groups. */
export interface ListAnswer<Item> extends ApiPage {
  items: readonly Item[]
}

/**
 * The differences between users and groups. All other code of the sync handles both kinds, as `Kind` without type
 * arguments. Users and groups are assignable to that type, because TypeScript compares method parameters in both
 * directions.
 */
export interface Kind<
  Item extends { id: string } = { id: string },
  Listed extends UserRecord | GroupRecord = UserRecord | GroupRecord,
> {
  name: 'user' | 'group'
  /** The name in the options and in the report. */
  plural: 'users' | 'groups'
  list(api: DirectoryApi, directory: DirectoryRef, options: ListOptions): Promise<ListAnswer<Item>>
  compared(item: Item): ComparedRecord
  /** @param detailed whether the request had details. Without details, an empty list of groups can be incomplete */
  record(item: Item, directory: DirectoryRef, detailed: boolean): Listed
  event(record: Listed, change: RecordChange): DirectoryEvent
  deletedEvent(directory: DirectoryRef, id: string, occurredAt: Instant): DirectoryEvent
}

export const userKind: Kind<ApiUser, UserRecord> = {
  name: 'user',
  plural: 'users',
  async list(api, { organizationId, id }, options) {
    const answer = await api.directory.listDirectoryUsers(organizationId, id, options)
    return { items: answer.users, totalSize: answer.totalSize, nextPageToken: answer.nextPageToken }
  },
  compared: (user) => ({ ...timed(user), groupIds: user.groups.map(({ id }) => id) }),
  record: userRecord,
  event: userEvent,
  deletedEvent: ({ organizationId }, id, occurredAt) => ({
    type: 'organization.directory.user_deleted',
    object: 'DirectoryUser',
    ...envelope(organizationId, occurredAt),
    data: { id, organization_id: organizationId },
  }),
}

export const groupKind: Kind<ApiGroup, GroupRecord> = {
  name: 'group',
  plural: 'groups',
  async list(api, { organizationId, id }, options) {
    const answer = await api.directory.listDirectoryGroups(organizationId, id, options)
    return { items: answer.groups, totalSize: answer.totalSize, nextPageToken: answer.nextPageToken }
  },
  compared: timed,
  record: groupRecord,
  event: groupEvent,
  deletedEvent: ({ organizationId, id: directoryId }, id, occurredAt) => ({
    type: 'organization.directory.group_deleted',
    object: 'DirectoryGroup',
    ...envelope(organizationId, occurredAt),
    data: { id, organization_id: organizationId, directory_id: directoryId },
  }),
}

// Protobuf does not distinguish absent text from empty text. So the functions below leave out empty values.

function userRecord(user: ApiUser, directory: DirectoryRef, detailed: boolean): UserRecord {
  const { id, email, givenName, familyName, preferredUsername, userDetail } = user
  const groups = user.groups.map((group) => ({
    id: group.id,
    ...(group.displayName && { name: group.displayName }),
  }))
  const groupsKnown = detailed || groups.length > 0
  const data: DirectoryUser = {
    ...(userDetail && attributesOf(userDetail, user)),
    id,
    organization_id: directory.organizationId,
    ...(email && { email }),
    ...(givenName && { given_name: givenName }),
    ...(familyName && { family_name: familyName }),
    ...(preferredUsername && { preferred_username: preferredUsername }),
    ...(groupsKnown && { groups }),
    ...(userDetail && { raw_attributes: userDetail }),
  }
  return {
    ...recordOf(user, directory),
    data,
    ...(groupsKnown && { groupIds: groups.map((group) => group.id) }),
  }
}

function groupRecord(group: ApiGroup, directory: DirectoryRef): GroupRecord {
  const { id, displayName, groupDetail } = group
  const data: DirectoryGroup = {
    id,
    organization_id: directory.organizationId,
    directory_id: directory.id,
    ...(displayName && { display_name: displayName }),
    ...(groupDetail && { raw_attributes: groupDetail }),
  }
  return { ...recordOf(group, directory), data }
}

/**
 * Returns the event that a webhook would have sent for the record. Dispatch the event with `source: 'sync'`. Before you
 * read the record, read the store's time, and pass this time as `observedAt`. With this time, the event never undoes a
 * newer webhook.
 */
export function userEvent(record: UserRecord, change: RecordChange): UserCreatedEvent | UserUpdatedEvent {
  const type = `organization.directory.user_${change}` as const
  const { organizationId, updatedAt, data } = record
  return { type, object: 'DirectoryUser', ...envelope(organizationId, updatedAt), data }
}

/** Returns the event that a webhook would have sent for the group. See {@link userEvent}. */
export function groupEvent(record: GroupRecord, change: RecordChange): GroupCreatedEvent | GroupUpdatedEvent {
  const type = `organization.directory.group_${change}` as const
  const { organizationId, updatedAt, data } = record
  return { type, object: 'DirectoryGroup', ...envelope(organizationId, updatedAt), data }
}

/** The earliest time. If a record has this time, only `observedAt` decides the order. */
export const earliestInstant: Instant = '0'.repeat(19)

function envelope(organizationId: string, occurredAt: Instant = earliestInstant) {
  return {
    id: `evt_${randomUUID()}`,
    occurred_at: formatInstant(occurredAt),
    organization_id: organizationId,
  }
}

function recordOf(item: ApiUser | ApiGroup, { organizationId, id: directoryId }: DirectoryRef) {
  return { ...timed(item), organizationId, directoryId }
}

function timed({ id, updatedAt }: ApiUser | ApiGroup): Pick<UserRecord, 'id' | 'updatedAt'> {
  const instant = updatedAt && instantOf(updatedAt)
  return instant === undefined ? { id } : { id, updatedAt: instant }
}

/** For a time before 1970, returns `undefined`, because Go's zero time means an unknown time. */
function instantOf({ seconds, nanos }: ApiTimestamp): Instant | undefined {
  if (seconds < 0n || seconds > 9_999_999_999n) return undefined
  return `${seconds}`.padStart(10, '0') + `${nanos}`.padStart(9, '0')
}
