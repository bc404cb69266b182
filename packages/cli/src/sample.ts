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

export const shortTypes = directoryTypes.map(lastPart)

/** A sample event with a new id and the current time. Its user, group or directory is always the same. */
export function eventNow(name: string): JsonObject {
  const envelope = { id: newId('evt'), occurred_at: new Date().toISOString() }
  const type = directoryTypes.find((one) => one === name || lastPart(one) === name)
  if (type !== undefined) return { ...sampleEvent(type), ...envelope }
  if (!name.includes('.') || /^organization\.directory/.test(name)) {
    throw wrongUsage(
      `${JSON.stringify(name)} is not an event type. The types of directories are ${shortTypes.join(', ')}.`,
    )
  }
  // Scalekit's other events have the same envelope, but other data.
  const sample = sampleEvent('organization.directory_enabled')
  return { ...sample, ...envelope, type: name, object: undefined, data: {} }
}

export function newId(prefix: string): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`
}

/** Accepts only ids that HTTP transports unchanged and that a receiver accepts. @throws Failure */
export function requireMessageId(text: string, what: string): void {
  if (!/^[\x21-\x7e]{1,256}$/.test(text)) {
    throw wrongUsage(`${what} must be 1 to 256 printable characters without spaces, such as msg_1.`)
  }
}

function lastPart(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}
