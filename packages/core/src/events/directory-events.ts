import {
  deletedUserFields,
  directoryFields,
  type FieldList,
  groupFields,
  userFields,
} from './documented-fields.ts'
import type { DirectoryEvent, DirectoryEventType, Resource, ScimEvent } from './events.ts'

interface DirectoryEventRow {
  kind: Resource['kind']
  deletes: boolean
  fields: FieldList
}

export const directoryEvents: Readonly<Record<DirectoryEventType, DirectoryEventRow>> = {
  'organization.directory.user_created': { kind: 'user', deletes: false, fields: userFields },
  'organization.directory.user_updated': { kind: 'user', deletes: false, fields: userFields },
  'organization.directory.user_deleted': { kind: 'user', deletes: true, fields: deletedUserFields },
  'organization.directory.group_created': { kind: 'group', deletes: false, fields: groupFields },
  'organization.directory.group_updated': { kind: 'group', deletes: false, fields: groupFields },
  'organization.directory.group_deleted': { kind: 'group', deletes: true, fields: groupFields },
  'organization.directory_enabled': { kind: 'directory', deletes: false, fields: directoryFields },
  'organization.directory_disabled': { kind: 'directory', deletes: false, fields: directoryFields },
}

export const directoryEventTypes = Object.keys(directoryEvents) as readonly DirectoryEventType[]

/**
 * Whether an event is one of the eight directory events. After this check, comparing `event.type` narrows `event.data`.
 *
 * @example
 * onEvent: (event) => {
 *   if (isDirectoryEvent(event) && event.type === 'organization.directory.user_created') audit(event.data.email)
 * }
 */
export function isDirectoryEvent(event: ScimEvent): event is DirectoryEvent {
  return Object.hasOwn(directoryEvents, event.type)
}

export function isDeletion(event: DirectoryEvent): boolean {
  return directoryEvents[event.type].deletes
}

export function resourceOf(event: DirectoryEvent): Resource {
  const { kind } = directoryEvents[event.type]
  return { kind, organizationId: event.organization_id, id: event.data.id }
}

/** The resource's key in the ledger. */
export function resourceKey({ kind, organizationId, id }: Resource): string {
  return `${kind}:${encodeURIComponent(organizationId)}:${encodeURIComponent(id)}`
}

export function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null) return false
  const { kind, organizationId, id }: { [name in keyof Resource]?: unknown } = value
  const isKind = kind === 'user' || kind === 'group' || kind === 'directory'
  return isKind && isUsableId(organizationId) && isUsableId(id)
}

/**
 * Returns the id of the directory that an event names. Group and directory events always name a directory. User events
 * usually do not name a directory.
 */
export function directoryIdOf(event: ScimEvent): string | undefined {
  if (!isDirectoryEvent(event)) return undefined
  const isDirectory = directoryEvents[event.type].kind === 'directory'
  const id: unknown = isDirectory ? event.data.id : Reflect.get(event.data, 'directory_id')
  return isUsableId(id) ? id : undefined
}

/**
 * Whether a value can be an id. Ids become keys in different stores, so an id must not contain control characters
 * (PostgreSQL rejects U+0000) or unpaired surrogates.
 */
export function isUsableId(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= 512 && !/[\p{Cc}\p{Cs}]/u.test(value)
  )
}
