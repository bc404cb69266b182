import { type Attribute, attributeNamed } from './attribute.ts'
import { type AttributePath, readAttributePath } from './attribute-path.ts'
import { badRequest, type ScimError } from './errors.ts'
import { type Filter, parseBracketedFilter } from './filter-grammar.ts'
import { type ResourceType, topAttributes } from './schemas.ts'

/** What a path names (RFC 7644, 3.5.2 and 3.10), each name as its schema writes it. */
export interface Path {
  /** The extension that the attribute belongs to. */
  readonly extension?: string
  /** None: the extension as a whole, or without one the resource. */
  readonly name?: string
  /** None: an attribute that no schema of ours has. */
  readonly attribute?: Attribute
  readonly filter?: Filter
  readonly subName?: string
}

/**
 * A schema's own URN, or an attribute: of the resource, or of the schema that it is written in.
 *
 * @throws ScimError 'invalidPath', or 'invalidFilter' for what stands in brackets
 */
export function readPath(type: ResourceType, text: string, within?: string): Path {
  const { schema, extension } = type
  const whole = within === undefined ? wholeSchema(type, text) : undefined
  if (whole) return whole
  const { urn: written, name, subName, filter } = readParts(text)
  if (written !== undefined && within !== undefined) throw unreadable()
  const urn = written ?? within
  const isCore = urn === undefined || isSame(urn, schema.id)
  const isOurs = !isCore && extension !== undefined && isSame(urn, extension.id)
  const known = isCore ? topAttributes(type) : isOurs ? extension.attributes : []
  const attribute = attributeNamed(known, name)
  return {
    ...(isCore ? {} : { extension: isOurs ? extension.id : urn }),
    name: attribute?.name ?? name,
    ...(attribute ? { attribute } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(subName === undefined
      ? {}
      : { subName: attributeNamed(attribute?.subAttributes, subName)?.name ?? subName }),
  }
}

/** An attribute path, with or without a filter before its sub-attribute (RFC 7644, figure 7). */
function readParts(text: string): AttributePath & { filter?: Filter } {
  const bracket = text.indexOf('[')
  const path = readAttributePath(bracket < 0 ? text : text.slice(0, bracket))
  if (!path) throw unreadable()
  if (bracket < 0) return path
  if (path.subName !== undefined || !text.includes(']', bracket)) throw unreadable()
  const { filter, end } = parseBracketedFilter(text, bracket + 1)
  const after = /^(?:\.([a-z$][\w$-]*))?$/i.exec(text.slice(end))
  if (!after) throw unreadable()
  const [, subName] = after
  return { ...path, filter, ...(subName === undefined ? {} : { subName }) }
}

function unreadable(): ScimError {
  return badRequest('invalidPath', 'the path cannot be read: see RFC 7644, 3.5.2')
}

const unknownSchema = /^urn:[^\s"()[\]]+:(?:user|group|\d+(?:\.\d+)*)$/i

/** A URN that ends in a resource's name or in a version is a schema's, whether we know that schema or not. */
function wholeSchema({ schema, extension }: ResourceType, text: string): Path | undefined {
  if (isSame(text, schema.id)) return {}
  if (extension && isSame(text, extension.id)) return { extension: extension.id }
  return unknownSchema.test(text) ? { extension: text } : undefined
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
