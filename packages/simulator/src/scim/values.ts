import { type Attribute, attributeNamed } from './attribute.ts'
import { badRequest } from './errors.ts'
import { type ResourceType, type Schema, topAttributes } from './schemas.ts'

/** A resource, or a part of one, as JSON has it. */
export type Fields = Record<string, unknown>

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 7643, 2.4: the preferred one of a list. */
export function isPrimary(value: unknown): value is Fields {
  return isFields(value) && value.primary === true
}

/** Never what an object inherits: a client chooses the name. */
export function own(fields: Readonly<Fields>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/**
 * What a client may write of a resource: known attributes by their own names and of their own types, unknown ones and
 * extensions as they came. What is read-only is left out, as RFC 7644, 3.3 and 3.5.1 want it.
 */
export function readResource(type: ResourceType, body: unknown): Fields {
  if (!isFields(body)) {
    throw badRequest('invalidSyntax', 'the body must be a JSON object, sent as application/scim+json')
  }
  checkSchemas(type, body.schemas)
  const { extension } = type
  const entries = Object.entries(body).map(([name, value]): [string, unknown] =>
    extension && name.toLowerCase() === extension.id.toLowerCase()
      ? [extension.id, readExtension(extension, value)]
      : readEntry(topAttributes(type), name, /^urn:/i.test(name) ? readUnknownExtension(name, value) : value),
  )
  for (const [name, value] of entries) {
    if (Array.isArray(value) && value.filter(isPrimary).length > 1) {
      throw badRequest('invalidValue', `one of ${name} may be primary at most`)
    }
  }
  return present(entries)
}

function readExtension({ name, attributes }: Schema, value: unknown): Fields | undefined {
  const fields = readUnknownExtension(name, value)
  return fields && readFields(attributes, fields)
}

/** `urn:…:User:department` is the name of an attribute: in a resource it stands within its extension. */
function readUnknownExtension(name: string, value: unknown): Fields | undefined {
  if (value === null || value === undefined) return undefined
  if (!isFields(value)) throw badRequest('invalidValue', `the extension ${name} must be an object`)
  return value
}

/** An attribute's value as we hold it; `undefined` where there is none. @throws ScimError 'invalidValue' */
export function readValue(attribute: Attribute, value: unknown): unknown {
  if (value === null || value === undefined || attribute.name === 'schemas') return undefined
  if (!attribute.multiValued) return readSingle(attribute, value)
  const items = (Array.isArray(value) ? value : [value]).map((item) => readSingle(attribute, item))
  // RFC 7643, 2.5: a list of nothing is no list.
  return items.length > 0 ? items : undefined
}

function readSingle(attribute: Attribute, value: unknown): unknown {
  const { name, type, multiValued } = attribute
  if (type === 'boolean') return readBoolean(name, value)
  if (type === 'complex') {
    if (isFields(value)) return readFields(attribute.subAttributes, value)
    // Entra ID sends a manager as the bare id, or as a list of one.
    const hasValue = attributeNamed(attribute.subAttributes, 'value') !== undefined
    if (!multiValued && hasValue && typeof value === 'string') return { value }
    if (!multiValued && Array.isArray(value) && value.length === 1) return readSingle(attribute, value[0])
    throw badRequest('invalidValue', `${name} must be ${multiValued ? 'a list of objects' : 'an object'}`)
  }
  if (typeof value === 'string') return value
  throw badRequest('invalidValue', `${name} must be a string`)
}

/** Entra ID sends "True" and "False". */
function readBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw badRequest('invalidValue', `${name} must be true or false`)
}

function readFields(attributes: readonly Attribute[] | undefined, fields: Fields): Fields {
  return present(Object.entries(fields).map(([name, value]) => readEntry(attributes, name, value)))
}

function readEntry(
  attributes: readonly Attribute[] | undefined,
  name: string,
  value: unknown,
): [string, unknown] {
  const known = attributeNamed(attributes, name)
  if (!known) return [name, value ?? undefined]
  const isOurs = known.mutability === 'readOnly' || known.mutability === 'writeOnly'
  return [known.name, isOurs ? undefined : readValue(known, value)]
}

function present(entries: readonly (readonly [string, unknown])[]): Fields {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Absent, they are taken for granted. */
function checkSchemas(type: ResourceType, schemas: unknown): void {
  if (schemas === undefined) return
  const wanted = type.schema.id.toLowerCase()
  if (Array.isArray(schemas) && schemas.some((id) => String(id).toLowerCase() === wanted)) return
  throw badRequest('invalidSyntax', `schemas must name ${type.schema.id}`)
}
