import type { DirectoryEvent, DirectoryEventType, DirectoryUser } from '@scalekit-scim/core'
import { rawAttributes, rawGroupAttributes } from './raw-attributes.ts'
import type { Directory, Group, User } from './records.ts'

/** The fields of an event that depend on the kind of change. */
export interface EventContent {
  type: DirectoryEventType
  object: 'DirectoryUser' | 'DirectoryGroup' | 'Directory'
  data: DirectoryEvent['data']
}

/** Returns a time in Scalekit's format, with six decimals. */
export function formatMicros(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const decimals = String(micros - seconds * 1_000_000).padStart(6, '0')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${decimals}Z`
}

export function userEvent(change: 'created' | 'updated', user: User, groups: readonly Group[]): EventContent {
  const data = userData(user, groups)
  return { type: `organization.directory.user_${change}`, object: 'DirectoryUser', data }
}

/** The event of a deletion contains only the ids and the email. */
export function userDeletedEvent(user: User): EventContent {
  const { id, organizationId: organization_id, attributes } = user
  const data = withoutUndefined({ id, organization_id, dp_id: dpId(user), email: attributes.email })
  return { type: 'organization.directory.user_deleted', object: 'DirectoryUser', data }
}

export function groupEvent(change: 'created' | 'updated' | 'deleted', group: Group): EventContent {
  const data = {
    directory_id: group.directoryId,
    display_name: group.displayName,
    dp_id: dpId(group),
    external_id: null,
    id: group.id,
    organization_id: group.organizationId,
    raw_attributes: rawGroupAttributes(group),
  }
  return { type: `organization.directory.group_${change}`, object: 'DirectoryGroup', data }
}

export function directoryEvent(directory: Directory): EventContent {
  const change = directory.enabled ? 'enabled' : 'disabled'
  const data = {
    directory_type: 'SCIM',
    enabled: directory.enabled,
    id: directory.id,
    last_sync_at: null,
    organization_id: directory.organizationId,
    provider: directory.provider,
    status: 'IN_PROGRESS',
    updated_at: formatMicros(directory.updatedAtMicros),
  }
  return { type: `organization.directory_${change}`, object: 'Directory', data }
}

function userData(user: User, groups: readonly Group[]): DirectoryUser {
  const { attributes } = user
  const name =
    attributes.displayName ?? [attributes.givenName, attributes.familyName].filter(Boolean).join(' ')
  return withoutUndefined({
    active: user.active,
    cost_center: attributes.costCenter,
    custom_attributes: {},
    department: attributes.department,
    division: attributes.division,
    dp_id: dpId(user),
    email: attributes.email,
    employee_id: attributes.employeeNumber,
    family_name: attributes.familyName,
    given_name: attributes.givenName,
    groups: groups.map(({ id, displayName }) => ({ id, name: displayName })),
    id: user.id,
    language: attributes.language,
    locale: attributes.locale,
    name: name || undefined,
    nickname: attributes.nickName,
    organization: attributes.organization,
    organization_id: user.organizationId,
    phone_number: attributes.phoneNumber,
    picture: attributes.picture,
    preferred_username: attributes.userName,
    profile: attributes.profileUrl,
    raw_attributes: rawAttributes(user),
    roles: [],
    title: attributes.title,
    user_type: attributes.userType,
    zoneinfo: attributes.timezone,
  })
}

type Defined<Fields> = { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }

/**
 * Returns the `dp_id` of an event: the client's own id. Without a client's id, returns an id in the format of Okta.
 */
function dpId({ id, externalId }: User | Group): string {
  return externalId ?? id.replace('diruser_', '00u').replace('dirgroup_', '00g')
}

/** Removes fields that are `undefined`, as JSON does. */
function withoutUndefined<Fields extends object>(fields: Fields): Defined<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Defined<Fields>
}
