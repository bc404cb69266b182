import { omitUndefined } from '@scalekit-scim/core/internal'
import { type AttributePath, type Filter, parseFilter, readAttributePath } from './filter-grammar.ts'
import { badRequest, type ScimError } from './messages.ts'
import { type Attribute, attributeNamed, type ResourceType, topAttributes } from './schemas.ts'

/** A parsed path (RFC 7644, 3.5.2 and 3.10). The names are spelled as in the schema. */
export interface Path {
  /** The extension that the attribute belongs to. */
  readonly extension?: string
  /** Absent for a path to a whole extension or the whole resource. */
  readonly name?: string
  /** Absent for an attribute outside of the known schemas. */
  readonly attribute?: Attribute
  readonly filter?: Filter
  readonly subName?: string
}

/**
 * Reads a path, which is the URN of a schema or the path of an attribute.
 *
 * @param within The URN of the schema for a path without a URN
 * @throws ScimError 'invalidPath', or 'invalidFilter' if the text in brackets is invalid
 */
export function readPath(type: ResourceType, text: string, within?: string): Path {
  const { schema, extension } = type
  const whole = within === undefined ? wholeSchema(type, text) : undefined
  if (whole) return whole
  const { urn: written, name, subName, filter } = readParts(text)
  if (written !== undefined && within !== undefined) throw invalidPath()
  const urn = written ?? within
  const isCore = urn === undefined || isSame(urn, schema.id)
  const isOurs = !isCore && extension !== undefined && isSame(urn, extension.id)
  const attributes = isCore ? topAttributes(type) : isOurs ? extension.attributes : []
  const attribute = attributeNamed(attributes, name)
  const subAttribute = attributeNamed(attribute?.subAttributes, subName ?? '')
  return {
    ...(isCore ? {} : { extension: isOurs ? extension.id : urn }),
    name: attribute?.name ?? name,
    ...omitUndefined({ attribute, filter, subName: subAttribute?.name ?? subName }),
  }
}

/** Reads an attribute path, with or without a filter before its sub-attribute (RFC 7644, figure 7). */
function readParts(text: string): AttributePath & { filter?: Filter } {
  const bracket = text.indexOf('[')
  const path = readAttributePath(bracket < 0 ? text : text.slice(0, bracket))
  if (!path) throw invalidPath()
  if (bracket < 0) return path
  if (path.subName !== undefined || !text.includes(']', bracket)) throw invalidPath()
  const { filter, end } = parseFilter(text, bracket + 1, / *\]/y)
  const after = /^(?:\.([a-z$][\w$-]*))?$/i.exec(text.slice(end))
  if (!after) throw invalidPath()
  const [, subName] = after
  return { ...path, filter, ...omitUndefined({ subName }) }
}

function invalidPath(): ScimError {
  return badRequest('invalidPath', 'the path is invalid: see RFC 7644, 3.5.2')
}

const unknownSchema = /^urn:[^\s"()[\]]+:(?:user|group|\d+(?:\.\d+)*)$/i

/** If a URN ends with the name of a resource or with a version, the URN is a schema, possibly an unknown schema. */
function wholeSchema({ schema, extension }: ResourceType, text: string): Path | undefined {
  if (isSame(text, schema.id)) return {}
  if (extension && isSame(text, extension.id)) return { extension: extension.id }
  return unknownSchema.test(text) ? { extension: text } : undefined
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
