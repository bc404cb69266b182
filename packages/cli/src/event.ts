import { randomUUID } from 'node:crypto'
import type { DirectoryEventType } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject, parseJson } from './files.ts'

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

const lastPart = (type: string) => type.split('.').at(-1)

/** The fields of Scalekit's events, except `data` and `type`. The type is an argument of the command. */
const envelopeFields = [
  'id',
  'occurred_at',
  'timestamp',
  'organization_id',
  'environment_id',
  'spec_version',
  'object',
  'display_name',
]

/** Returns a sample event with a new id and the current time. The user, group or directory is always the same. */
export function eventNow(name: string): JsonObject {
  const envelope = { id: newId('evt'), occurred_at: new Date().toISOString() }
  const type = directoryTypes.find((one) => one === name || lastPart(one) === name)
  if (type !== undefined) return { ...sampleEvent(type), ...envelope }
  if (!name.includes('.') || /^organization\.directory/.test(name)) {
    const types = directoryTypes.map(lastPart).join(', ')
    throw wrongUsage(`${JSON.stringify(name)} is not an event type. The types of directories are ${types}.`)
  }
  // Scalekit's other events have the same envelope, but different data.
  const sample = sampleEvent('organization.directory_enabled')
  return { ...sample, ...envelope, type: name, object: undefined, data: {} }
}

/**
 * Returns the event with one field set by its path: `data.active=false`. In `data`, a valid JSON value is JSON. Any
 * other value is text. In the envelope, the value is text or `null`.
 * @throws Failure
 */
export function withField(event: JsonObject, assignment: string): JsonObject {
  const [, path = '', text = ''] = /^([^=]+)=(.*)$/s.exec(assignment) ?? []
  const names = path.split('.')
  if (names.includes('')) {
    throw wrongUsage(
      `--set takes path=value, such as --set data.active=false, and not ${JSON.stringify(assignment)}.`,
    )
  }
  const value = parseJson(text)
  if (path === 'data' && !isJsonObject(value)) {
    throw wrongUsage('--set data takes a JSON object. To set one field, give --set data.<path>=value.')
  }
  if (names[0] === 'data') return withInner(event, names, value === undefined ? text : value, path)
  if (!envelopeFields.includes(path)) {
    const hint =
      path === 'type'
        ? 'give the type as the argument of the command, as in send user_updated.'
        : `events do not have such a field. Give data.<path>, or one of ${envelopeFields.join(', ')}.`
    throw wrongUsage(`--set ${path}: ${hint}`)
  }
  return { ...event, [path]: value === null || typeof value === 'string' ? value : text }
}

/** Sets the inner field. Treats `__proto__` as an ordinary name, as the JSON parser does. */
function withInner(holder: JsonObject, names: readonly string[], value: unknown, path: string): JsonObject {
  const [name = '', ...rest] = names
  if (rest.length === 0) return { ...holder, [name]: value }
  const inner = Object.hasOwn(holder, name) ? holder[name] : {}
  if (!isJsonObject(inner)) {
    throw wrongUsage(`--set ${path}: ${name} is not an object, so ${name} cannot have fields.`)
  }
  return { ...holder, [name]: withInner(inner, rest, value, path) }
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
