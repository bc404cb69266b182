import type { z } from 'zod'
import type { DirectoryEvent, DirectoryEventType, Resource, ScimEvent } from './events.ts'
import { deletedUserSchema, directorySchema, groupSchema, userSchema } from './schemas.ts'

interface DirectoryEventRow {
  kind: Resource['kind']
  deletes: boolean
  data: z.ZodType
}

export const directoryEvents: Readonly<Record<DirectoryEventType, DirectoryEventRow>> = {
  'organization.directory.user_created': { kind: 'user', deletes: false, data: userSchema },
  'organization.directory.user_updated': { kind: 'user', deletes: false, data: userSchema },
  'organization.directory.user_deleted': { kind: 'user', deletes: true, data: deletedUserSchema },
  'organization.directory.group_created': { kind: 'group', deletes: false, data: groupSchema },
  'organization.directory.group_updated': { kind: 'group', deletes: false, data: groupSchema },
  'organization.directory.group_deleted': { kind: 'group', deletes: true, data: groupSchema },
  'organization.directory_enabled': { kind: 'directory', deletes: false, data: directorySchema },
  'organization.directory_disabled': { kind: 'directory', deletes: false, data: directorySchema },
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
