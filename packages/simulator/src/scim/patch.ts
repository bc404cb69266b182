import { type Attribute, attributeNamed } from './attribute.ts'
import { type Edit, type Operation, readEdits } from './edits.ts'
import { badRequest, ScimError } from './errors.ts'
import { impliedFields, matches } from './filter.ts'
import type { Filter } from './filter-grammar.ts'
import { addTo, type Item, removeFrom, withOnePrimary } from './lists.ts'
import type { Path } from './path.ts'
import type { ResourceType } from './schemas.ts'
import { type Fields, isFields, own, readValue } from './values.ts'

/** How many values the operations of one PATCH may go through, all together: each of a list that it has to do with. */
const mostVisits = 1_000_000

/** Carries out a PATCH (RFC 7644, 3.5.2) on a resource that is the caller's own. All of it, or it throws. */
export function patchResource(type: ResourceType, resource: Fields, body: unknown): Fields {
  let visits = 0
  for (const edit of readEdits(type, body)) {
    visits += 1 + countAt(resource, edit.path)
    if (visits > mostVisits)
      throw new ScimError(413, 'too much for one PATCH: send its operations in several')
    carryOut(resource, edit)
  }
  return resource
}

function carryOut(resource: Fields, { op, path, value }: Edit): void {
  const { extension, name } = path
  if (name === undefined) {
    if (extension === undefined)
      throw badRequest('noTarget', 'a resource is not removed by a PATCH: use DELETE')
    delete resource[extension]
    return
  }
  if (name === 'schemas') return
  const holder = extension === undefined ? resource : fieldsAt(resource, extension)
  const before = own(holder, name)
  const after =
    path.filter !== undefined
      ? editMatching(before, op, path, path.filter, value)
      : path.subName !== undefined
        ? editWithin(before, op, path, path.subName, value)
        : editWhole(before, op, path, value)
  put(holder, name, after)
  if (extension !== undefined) put(resource, extension, holder)
}

function editWhole(before: unknown, op: Operation, { attribute }: Path, value: unknown): unknown {
  const given = attribute ? readValue(attribute, value) : (value ?? undefined)
  if (op === 'remove') {
    // RFC 7644 has no values here, but Entra ID and others name those that are to go. To name none removes none.
    const isNamed = Array.isArray(before) && value !== undefined && value !== null
    return isNamed ? removeFrom(before, given ?? []) : undefined
  }
  // A list of nothing.
  if (given === undefined) return op === 'replace' ? undefined : before
  if (op === 'add' && Array.isArray(before)) return addTo(before, given)
  if (!isFields(before) || !isFields(given)) return given
  const after = { ...before, ...given }
  if (op === 'replace') for (const subName of clearedBy(value, attribute)) delete after[subName]
  return after
}

/** RFC 7643, 2.5: to replace a sub-attribute with null is to remove it. */
function clearedBy(value: unknown, attribute: Attribute | undefined): string[] {
  const cleared = Object.entries(isFields(value) ? value : {}).filter(([, part]) => part === null)
  return cleared.map(([name]) => attributeNamed(attribute?.subAttributes, name)?.name ?? name)
}

/** A sub-attribute: of the object, or of each that the list has. */
function editWithin(before: unknown, op: Operation, path: Path, subName: string, value: unknown): unknown {
  const given = op === 'remove' ? undefined : readSubValue(path, subName, value)
  if (Array.isArray(before)) return before.map((item) => withField(item, subName, given)).filter(isNotEmpty)
  const after = withField(before, subName, given)
  return path.attribute?.multiValued && isFields(after) && isNotEmpty(after) ? [after] : after
}

function editMatching(before: unknown, op: Operation, path: Path, filter: Filter, value: unknown): unknown {
  const { attribute, subName } = path
  const isList = attribute ? attribute.multiValued : before === undefined || Array.isArray(before)
  if (!isList) throw badRequest('invalidPath', `${path.name} is not a list`)
  const items: Item[] = Array.isArray(before) ? before : []
  if (op === 'remove') {
    if (subName === undefined) return items.filter((item) => !matches(item, filter))
    return items
      .map((item) => (matches(item, filter) ? withField(item, subName, undefined) : item))
      .filter(isNotEmpty)
  }

  const edited = (item: Item): Item => {
    if (subName !== undefined) return withField(item, subName, readSubValue(path, subName, value))
    const given = attribute ? [readValue(attribute, value)].flat().at(0) : value
    if (!isFields(given)) throw badRequest('invalidValue', `${path.name} needs an object`)
    return op === 'add' && isFields(item) ? { ...item, ...given } : given
  }
  const touched = new Set<Item>()
  const touch = (item: Item) => {
    const after = edited(item)
    touched.add(after)
    return after
  }
  const after = items.map((item) => (matches(item, filter) ? touch(item) : item))
  if (touched.size === 0) {
    // RFC 7644, 3.5.2.3 has a replacement fail here. Entra ID counts on what the filter tells of being made.
    const implied = subName === undefined && op === 'replace' ? undefined : impliedFields(filter)
    if (!implied) throw badRequest('noTarget', `no value of ${path.name} is as the path wants it`)
    after.push(touch(attribute ? [readValue(attribute, implied)].flat().at(0) : implied))
  }
  return withOnePrimary(after, touched)
}

function readSubValue({ attribute }: Path, subName: string, value: unknown): unknown {
  const subAttribute = attributeNamed(attribute?.subAttributes, subName)
  return subAttribute ? readValue(subAttribute, value) : (value ?? undefined)
}

/** A value without fields has no sub-attribute to clear. */
function withField(item: unknown, name: string, value: unknown): unknown {
  if (!isFields(item) && value === undefined) return item
  const fields = isFields(item) ? { ...item } : {}
  put(fields, name, value)
  return fields
}

function countAt(resource: Fields, { extension, name }: Path): number {
  const holder = extension === undefined ? resource : fieldsAt(resource, extension)
  const found = name === undefined ? undefined : own(holder, name)
  return Array.isArray(found) ? found.length : 0
}

function fieldsAt(fields: Fields, name: string): Fields {
  const found = own(fields, name)
  return isFields(found) ? found : {}
}

/** RFC 7643, 2.5: what is empty is not there. */
function put(fields: Fields, name: string, value: unknown): void {
  if (isNotEmpty(value)) fields[name] = value
  else delete fields[name]
}

function isNotEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isFields(value) ? Object.keys(value).length > 0 : value !== undefined
}
