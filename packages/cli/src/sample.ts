import { randomUUID } from 'node:crypto'
import type { DirectoryEventType } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { wrongUsage } from './failures.ts'
import type { JsonObject } from './files.ts'

const directoryTypes = [
  'organization.directory.user_created',
  'organization.directory.user_updated',
  'organization.directory.user_deleted',
  'organization.directory.group_created',
  'organization.directory.group_updated',
  'organization.directory.group_deleted',
  'organization.directory_enabled',
  'organization.directory_disabled',
] as const satisfies DirectoryEventType[]

/** An event that happens now. What it is about is always the same user, group or directory. */
export function eventNow(name: string): JsonObject {
  const envelope = { id: newId('evt'), occurred_at: new Date().toISOString() }
  const type = directoryTypes.find((one) => one === name || lastPart(one) === name)
  if (type !== undefined) return { ...sampleEvent(type), ...envelope }
  if (!name.includes('.') || /^organization\.directory/.test(name)) {
    throw wrongUsage(
      `There is no event type ${JSON.stringify(name)}. Those of directories are ${directoryTypes.map(lastPart).join(', ')}.`,
    )
  }
  // Of Scalekit's other events only the envelope is the same.
  return {
    ...sampleEvent('organization.directory_enabled'),
    ...envelope,
    type: name,
    object: undefined,
    data: {},
  }
}

export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`
}

export const messageIdForm = '1 to 256 printable characters without spaces, such as msg_1'

/** HTTP carries it as it was signed, and a receiver takes it. */
export function isMessageId(text: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(text)
}

function lastPart(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}
