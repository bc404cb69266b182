import type { DirectoryEvent } from '@scalekit-scim/core'
import type { Instant } from '@scalekit-scim/core/internal'
import type { ApiGroup, ApiUser, DirectoryApi } from './directory-api.ts'
import { groupPages, type Page, type PageOptions, userPages } from './pages.ts'
import {
  type ComparedRecord,
  comparedGroup,
  comparedUser,
  type DirectoryRef,
  type GroupRecord,
  groupDeletedEvent,
  groupEvent,
  groupRecord,
  type RecordChange,
  type UserRecord,
  userDeletedEvent,
  userEvent,
  userRecord,
} from './records.ts'

/** Users and groups go the same way; this is in what they differ. */
export interface Kind<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord> {
  name: 'user' | 'group'
  /** What the options and the report call them. */
  plural: 'users' | 'groups'
  pages(
    api: DirectoryApi,
    directory: DirectoryRef,
    options: PageOptions<Instant>,
  ): AsyncIterable<Page<Item, Instant>>
  compared(item: Item): ComparedRecord
  record(item: Item, directory: DirectoryRef): DirectoryRecord
  event(record: DirectoryRecord, change: RecordChange): DirectoryEvent
  deletedEvent(directory: DirectoryRef, id: string, occurredAt: Instant): DirectoryEvent
}

export const userKind: Kind<ApiUser, UserRecord> = {
  name: 'user',
  plural: 'users',
  pages: userPages,
  compared: comparedUser,
  record: (user, directory) => userRecord(user, directory, true),
  event: userEvent,
  deletedEvent: userDeletedEvent,
}

export const groupKind: Kind<ApiGroup, GroupRecord> = {
  name: 'group',
  plural: 'groups',
  pages: groupPages,
  compared: comparedGroup,
  record: groupRecord,
  event: groupEvent,
  deletedEvent: groupDeletedEvent,
}
