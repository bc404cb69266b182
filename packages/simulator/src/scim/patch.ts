import { isJsonObject, type JsonObject } from '@scalekit-scim/core/internal'
import { type Operation, readEdits } from './edits.ts'
import { impliedFields, matches } from './filter.ts'
import { badRequest, ScimError } from './messages.ts'
import type { Path } from './path.ts'
import { type Attribute, attributeNamed, type ResourceType } from './schemas.ts'
import { isPrimary, own, readValue } from './values.ts'

/** The largest number of list values that all operations of one PATCH can read in total. */
const maxVisits = 1_000_000

/**
 * Applies a PATCH (RFC 7644, 3.5.2) to the resource, and returns the resource. After an error, do not use the resource,
 * because the resource can have only some of the changes.
 */
export function patchResource(type: ResourceType, resource: JsonObject, body: unknown): JsonObject {
  let visits = 0
  for (const { op, path, value } of readEdits(type, body)) {
    const { extension, name } = path
    if (name === undefined) {
      if (extension === undefined)
        throw badRequest('noTarget', 'a PATCH cannot remove a resource: use DELETE')
      delete resource[extension]
      continue
    }
    if (name === 'schemas') continue
    const fields = extension === undefined ? resource : own(resource, extension)
    const holder = isJsonObject(fields) ? fields : {}
    const before = own(holder, name)
    visits += Array.isArray(before) ? before.length + 1 : 1
    if (visits > maxVisits)
      throw new ScimError(413, 'the PATCH is too large: send its operations in several requests')
    put(holder, name, edited(before, op, path, value))
    if (extension !== undefined) put(resource, extension, holder)
  }
  return resource
}

function edited(before: unknown, op: Operation, path: Path, value: unknown): unknown {
  const { attribute, filter, subName } = path
  if (filter === undefined && subName === undefined) return editWhole(before, op, path, value)
  const items = before ?? []
  // If the path of an unknown attribute has a filter, the attribute is a list.
  const isList = attribute ? attribute.multiValued : filter !== undefined || Array.isArray(before)
  if (isList && Array.isArray(items)) return editItems(items, op, path, value)
  if (filter !== undefined) throw badRequest('invalidPath', `${path.name} is not a list`)
  return editItem(before, op, path, value)
}

function editWhole(before: unknown, op: Operation, { attribute }: Path, value: unknown): unknown {
  const newValue = attribute ? readValue(attribute, value) : (value ?? undefined)
  if (op === 'remove') {
    // In RFC 7644, `remove` does not have a value. However, Entra ID and other clients send a list of the values to
    // remove. An empty list removes nothing.
    const hasValues = Array.isArray(before) && value !== undefined && value !== null
    if (!hasValues) return undefined
    // Compares only `value`, because other sub-attributes of the client's copy can be outdated.
    const removed = new Set([newValue ?? []].flat().map(keyOf))
    return before.filter((item) => !removed.has(keyOf(item)))
  }
  // If no new value remains, the client sent an empty list.
  if (newValue === undefined) return op === 'replace' ? undefined : before
  if (op === 'add' && Array.isArray(before)) return addTo(before, newValue)
  if (!isJsonObject(before) || !isJsonObject(newValue)) return newValue
  const after = { ...before, ...newValue }
  if (op === 'replace') for (const subName of clearedBy(value, attribute)) delete after[subName]
  return after
}

/** Returns the sub-attributes that are null in the request. Null removes a sub-attribute (RFC 7643, 2.5). */
function clearedBy(value: unknown, attribute: Attribute | undefined): string[] {
  const cleared = Object.entries(isJsonObject(value) ? value : {}).filter(([, part]) => part === null)
  return cleared.map(([name]) => attributeNamed(attribute?.subAttributes, name)?.name ?? name)
}

/** Edits the items that match the filter of the path. Without a filter, edits all items. */
function editItems(items: unknown[], op: Operation, path: Path, value: unknown): unknown {
  const { attribute, filter, subName } = path
  const isFound = (item: unknown) => filter === undefined || matches(item, filter)
  if (op === 'remove' && subName === undefined) return items.filter((item) => !isFound(item))
  const touched = new Set<unknown>()
  const edit = (item: unknown) => {
    const after = editItem(item, op, path, value)
    touched.add(after)
    return after
  }
  const after = items.map((item) => (isFound(item) ? edit(item) : item))
  if (touched.size === 0 && op !== 'remove') {
    // If no item matches, `replace` fails (RFC 7644, 3.5.2.3). However, Entra ID expects a new item with the fields in
    // the filter.
    const implied = subName === undefined && op === 'replace' ? undefined : impliedFields(filter)
    if (!implied) throw badRequest('noTarget', `no value of ${path.name} matches the path`)
    after.push(edit(attribute ? [readValue(attribute, implied)].flat().at(0) : implied))
  }
  const present = after.filter(isNotEmpty)
  return filter === undefined ? present : withOnePrimary(present, touched)
}

function editItem(item: unknown, op: Operation, path: Path, value: unknown): unknown {
  const { attribute, subName } = path
  if (subName !== undefined) {
    const subAttribute = attributeNamed(attribute?.subAttributes, subName)
    const newValue = subAttribute ? readValue(subAttribute, value) : (value ?? undefined)
    return withField(item, subName, op === 'remove' ? undefined : newValue)
  }
  const newValue = attribute ? [readValue(attribute, value)].flat().at(0) : value
  if (!isJsonObject(newValue)) throw badRequest('invalidValue', `${path.name} needs an object`)
  return op === 'add' && isJsonObject(item) ? { ...item, ...newValue } : newValue
}

/** Returns the item with the field. Without a value, removes the field. */
function withField(item: unknown, name: string, value: unknown): unknown {
  if (!isJsonObject(item) && value === undefined) return item
  const fields = isJsonObject(item) ? { ...item } : {}
  put(fields, name, value)
  return fields
}

/** RFC 7643, 2.5: an empty value is the same as a missing value. */
function put(fields: JsonObject, name: string, value: unknown): void {
  if (isNotEmpty(value)) fields[name] = value
  else delete fields[name]
}

function isNotEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isJsonObject(value) ? Object.keys(value).length > 0 : value !== undefined
}

// ── Multi-valued attributes (RFC 7643, 2.4) ──

/** Adds the items that are not yet in the list (RFC 7644, 3.5.2.1). */
function addTo(items: readonly unknown[], value: unknown): unknown[] {
  const wanted = [value].flat()
  const values = new Set(wanted.map(keyOf))
  const present = new Set(items.filter((item) => values.has(keyOf(item))).map(textOf))
  const added = wanted.filter((item) => present.size < present.add(textOf(item)).size)
  return withOnePrimary([...items, ...added], new Set(added))
}

/** If edited items are primary, only the last edited item is primary. Clears `primary` of all other items. */
function withOnePrimary(items: readonly unknown[], edited: ReadonlySet<unknown>): unknown[] {
  const primary = items.filter((item) => edited.has(item) && isPrimary(item)).at(-1)
  if (primary === undefined) return [...items]
  return items.map((item) => (item !== primary && isPrimary(item) ? { ...item, primary: false } : item))
}

function textOf(item: unknown): string {
  return isJsonObject(item) ? JSON.stringify(Object.entries(item).sort()) : JSON.stringify(item)
}

function keyOf(item: unknown): unknown {
  return isJsonObject(item) ? (item.value ?? textOf(item)) : item
}
