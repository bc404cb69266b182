import { randomUUID } from 'node:crypto'
import type {
  DirectoryGroup,
  DirectoryUser,
  GroupCreatedEvent,
  GroupDeletedEvent,
  GroupUpdatedEvent,
  UserCreatedEvent,
  UserDeletedEvent,
  UserUpdatedEvent,
} from '@scalekit-scim/core'
import { formatInstant, type Instant } from '@scalekit-scim/core/internal'
import type { ApiGroup, ApiTimestamp, ApiUser } from './directory-api.ts'
import { attributesOf } from './user-detail.ts'

/** A directory of a customer's. */
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
  /** As a webhook would bring it; what the API does not tell is absent. */
  data: Shape
  /** When Scalekit changed it last, in nanoseconds since 1970; absent where nobody knows. */
  updatedAt?: Instant
}

export interface UserRecord extends DirectoryRecord<DirectoryUser> {
  /** All groups that the user is in; absent where the API was not asked for details and names none. */
  groupIds?: readonly string[]
}

export interface GroupRecord extends DirectoryRecord<DirectoryGroup> {}

/** What of a record is compared with what the application has: all that an unchanged one costs. */
export type ComparedRecord = Pick<UserRecord, 'id' | 'updatedAt' | 'groupIds'>

export type RecordChange = 'created' | 'updated'

// Protobuf has no absent text, only the empty one: below, what is empty was not said and is left out.

/** @param detailed whether the API was asked for details: without, an empty list of groups may be an unknown one */
export function userRecord(user: ApiUser, directory: DirectoryRef, detailed: boolean): UserRecord {
  const { id, email, givenName, familyName, preferredUsername, userDetail } = user
  const groups = user.groups.map((group) => ({
    id: group.id,
    ...(group.displayName && { name: group.displayName }),
  }))
  const groupsKnown = detailed || groups.length > 0
  const data: DirectoryUser = {
    ...(userDetail && attributesOf(userDetail, { givenName, familyName })),
    id,
    organization_id: directory.organizationId,
    ...(email && { email }),
    ...(givenName && { given_name: givenName }),
    ...(familyName && { family_name: familyName }),
    ...(preferredUsername && { preferred_username: preferredUsername }),
    ...(groupsKnown ? { groups } : {}),
    ...(userDetail && { raw_attributes: userDetail }),
  }
  return {
    ...recordOf(id, directory, user.updatedAt),
    data,
    ...(groupsKnown ? { groupIds: groups.map((group) => group.id) } : {}),
  }
}

export function comparedUser({ id, groups, updatedAt }: ApiUser): ComparedRecord {
  return { ...timed(id, updatedAt), groupIds: groups.map((group) => group.id) }
}

export function comparedGroup({ id, updatedAt }: ApiGroup): ComparedRecord {
  return timed(id, updatedAt)
}

export function groupRecord(group: ApiGroup, directory: DirectoryRef): GroupRecord {
  const { id, displayName, groupDetail } = group
  const data: DirectoryGroup = {
    id,
    organization_id: directory.organizationId,
    directory_id: directory.id,
    ...(displayName && { display_name: displayName }),
    ...(groupDetail && { raw_attributes: groupDetail }),
  }
  return { ...recordOf(id, directory, group.updatedAt), data }
}

/**
 * The event that a webhook would have brought. Dispatch it with `source: 'sync'`, and with the store's time before
 * the record was read as `observedAt`, so that it never undoes a newer webhook.
 */
export function userEvent(record: UserRecord, change: RecordChange): UserCreatedEvent | UserUpdatedEvent {
  const type = `organization.directory.user_${change}` as const
  return { type, object: 'DirectoryUser', ...envelope(record), data: record.data }
}

/** As {@link userEvent}. */
export function groupEvent(record: GroupRecord, change: RecordChange): GroupCreatedEvent | GroupUpdatedEvent {
  const type = `organization.directory.group_${change}` as const
  return { type, object: 'DirectoryGroup', ...envelope(record), data: record.data }
}

export function userDeletedEvent(directory: DirectoryRef, id: string, occurredAt: Instant): UserDeletedEvent {
  const { organizationId } = directory
  return {
    type: 'organization.directory.user_deleted',
    object: 'DirectoryUser',
    ...envelope({ organizationId, updatedAt: occurredAt }),
    data: { id, organization_id: organizationId },
  }
}

export function groupDeletedEvent(
  directory: DirectoryRef,
  id: string,
  occurredAt: Instant,
): GroupDeletedEvent {
  const { organizationId } = directory
  return {
    type: 'organization.directory.group_deleted',
    object: 'DirectoryGroup',
    ...envelope({ organizationId, updatedAt: occurredAt }),
    data: { id, organization_id: organizationId, directory_id: directory.id },
  }
}

/** Older than all: what a record without a time counts as, so that `observedAt` alone decides. */
const unknownTime: Instant = '0'.repeat(19)

function envelope({
  organizationId,
  updatedAt = unknownTime,
}: Pick<UserRecord, 'organizationId' | 'updatedAt'>) {
  return {
    id: `evt_${randomUUID()}`,
    occurred_at: formatInstant(updatedAt),
    organization_id: organizationId,
  }
}

function recordOf(id: string, directory: DirectoryRef, updatedAt: ApiTimestamp | undefined) {
  return {
    ...timed(id, updatedAt),
    organizationId: directory.organizationId,
    directoryId: directory.id,
  }
}

function timed(id: string, updatedAt: ApiTimestamp | undefined): Pick<UserRecord, 'id' | 'updatedAt'> {
  const instant = updatedAt && instantOf(updatedAt)
  return instant === undefined ? { id } : { id, updatedAt: instant }
}

/** Nothing for a time before 1970: Go's zero time says that nobody knows. */
function instantOf({ seconds, nanos }: ApiTimestamp): Instant | undefined {
  if (seconds < 0n || seconds > 9_999_999_999n) return undefined
  return `${seconds}`.padStart(10, '0') + `${nanos}`.padStart(9, '0')
}
