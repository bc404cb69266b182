import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import { badRequest } from './messages.ts'
import { type Attribute, attributeNamed, type ResourceType, topAttributes } from './schemas.ts'

/** Returns whether the value is the preferred value of its list (RFC 7643, 2.4). */
export function isPrimary(value: unknown): value is JsonObject {
  return isJsonObject(value) && value.primary === true
}

/** Returns an own property. Ignores inherited properties, because the client chooses the name. */
export function own(fields: Readonly<JsonObject>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/**
 * Reads a resource from a client. Known attributes get the names and types of their schema. Unknown attributes and
 * extensions do not change. Ignores read-only attributes (RFC 7644, 3.3 and 3.5.1).
 */
export function readResource(type: ResourceType, body: unknown): JsonObject {
  if (!isJsonObject(body)) {
    throw badRequest('invalidSyntax', 'the body must be a JSON object, sent as application/scim+json')
  }
  checkSchemas(type, body.schemas)
  const { extension } = type
  const entries = Object.entries(body).map(([name, value]): [string, unknown] => {
    if (!/^urn:/i.test(name)) return readEntry(topAttributes(type), name, value)
    // Refuses names such as `urn:…:User:department`. In a resource, `department` is in the object of its extension.
    if (value !== null && !isJsonObject(value))
      throw badRequest('invalidValue', `the extension ${name} must be an object`)
    const isKnown = extension && name.toLowerCase() === extension.id.toLowerCase()
    if (!isKnown) return [name, value ?? undefined]
    return [extension.id, value ? readFields(extension.attributes, value) : undefined]
  })
  for (const [name, value] of entries) {
    if (Array.isArray(value) && value.filter(isPrimary).length > 1) {
      throw badRequest('invalidValue', `at most one value of ${name} may be primary`)
    }
  }
  return omitUndefined(Object.fromEntries(entries))
}

/**
 * Returns the value of an attribute in the format of its schema. Without a value, returns `undefined`.
 * @throws ScimError 'invalidValue'
 */
export function readValue(attribute: Attribute, value: unknown): unknown {
  if (value === null || value === undefined || attribute.name === 'schemas') return undefined
  if (!attribute.multiValued) return readSingle(attribute, value)
  const items = (Array.isArray(value) ? value : [value]).map((item) => readSingle(attribute, item))
  // RFC 7643, 2.5: an empty list is the same as a missing value.
  return items.length > 0 ? items : undefined
}

function readSingle(attribute: Attribute, value: unknown): unknown {
  const { name, type, multiValued } = attribute
  if (type === 'boolean') return readBoolean(name, value)
  if (type === 'complex') {
    if (isJsonObject(value)) return readFields(attribute.subAttributes, value)
    // Entra ID sends a manager as an id, or as a list with one entry.
    const hasValue = attributeNamed(attribute.subAttributes, 'value') !== undefined
    if (!multiValued && hasValue && typeof value === 'string') return { value }
    if (!multiValued && Array.isArray(value) && value.length === 1) return readSingle(attribute, value[0])
    throw badRequest('invalidValue', `${name} must be ${multiValued ? 'a list of objects' : 'an object'}`)
  }
  if (typeof value === 'string') return value
  throw badRequest('invalidValue', `${name} must be a string`)
}

/** Accepts "True" and "False", because Entra ID sends these strings. */
function readBoolean(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  const text = typeof value === 'string' ? value.toLowerCase() : undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw badRequest('invalidValue', `${name} must be true or false`)
}

function readFields(attributes: readonly Attribute[] | undefined, fields: JsonObject): JsonObject {
  const entries = Object.entries(fields).map(([name, value]) => readEntry(attributes, name, value))
  return omitUndefined(Object.fromEntries(entries))
}

function readEntry(
  attributes: readonly Attribute[] | undefined,
  name: string,
  value: unknown,
): [string, unknown] {
  const known = attributeNamed(attributes, name)
  if (!known) return [name, value ?? undefined]
  const isDropped = known.mutability === 'readOnly' || known.mutability === 'writeOnly'
  return [known.name, isDropped ? undefined : readValue(known, value)]
}

/** Checks `schemas`. Accepts a resource without `schemas`. */
function checkSchemas(type: ResourceType, schemas: unknown): void {
  if (schemas === undefined) return
  const wanted = type.schema.id.toLowerCase()
  if (Array.isArray(schemas) && schemas.some((id) => String(id).toLowerCase() === wanted)) return
  throw badRequest('invalidSyntax', `schemas must contain ${type.schema.id}`)
}
