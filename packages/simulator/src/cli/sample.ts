import { randomUUID } from 'node:crypto'
import type { DirectoryEventType } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject } from './files.ts'

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

/**
 * Sets one field by its path: `data.active=false`. A value that reads as JSON is that, any other is text.
 * @throws Failure
 */
export function setField(event: JsonObject, assignment: string): void {
  const at = assignment.indexOf('=')
  const names = assignment.slice(0, Math.max(at, 0)).split('.')
  const last = names.pop()
  if (!last || names.includes('')) {
    throw wrongUsage(
      `--set takes path=value, such as --set data.active=false, and not ${JSON.stringify(assignment)}.`,
    )
  }
  let holder = event
  for (const name of names) {
    const inner = Object.hasOwn(holder, name) ? holder[name] : {}
    if (!isJsonObject(inner)) {
      throw wrongUsage(`--set ${assignment}: ${name} is no object, so nothing can be set in it.`)
    }
    define(holder, name, inner)
    holder = inner
  }
  define(holder, last, parsedOrText(assignment.slice(at + 1)))
}

/** As a parser of JSON does it: `__proto__` is a name like others. */
function define(holder: JsonObject, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, writable: true, configurable: true })
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function lastPart(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}
