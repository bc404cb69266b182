import { type Attribute, attributeNamed } from './attribute.ts'
import { type AttributePath, readAttributePath } from './attribute-path.ts'
import { badRequest, type ScimError } from './errors.ts'
import { type Filter, parseBracketedFilter } from './filter-grammar.ts'
import { type ResourceType, topAttributes } from './schemas.ts'

/** What a path names (RFC 7644, 3.5.2 and 3.10), each name as its schema writes it. */
export interface Path {
  /** The extension that the attribute belongs to. */
  readonly extension?: string
  /** None: the extension as a whole. */
  readonly name?: string
  /** None: an attribute that no schema of ours has. */
  readonly attribute?: Attribute
  readonly filter?: Filter
  readonly subName?: string
}

/** @throws ScimError 'invalidPath', or 'invalidFilter' for what stands in brackets */
export function readPath(type: ResourceType, text: string): Path {
  const { schema, extension } = type
  if (extension && isSame(text, extension.id)) return { extension: extension.id }
  const { urn, name, subName, filter } = readParts(text)
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

/** The extension that a name stands for as a whole, also one that we do not know. */
export function extensionNamed({ schema, extension }: ResourceType, name: string): string | undefined {
  if (!/^urn:/i.test(name)) return undefined
  const known = extension ? [schema.id, extension.id] : [schema.id]
  const isAttribute = known.some((id) => isSame(name.slice(0, id.length + 1), `${id}:`))
  return isAttribute ? undefined : name
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
