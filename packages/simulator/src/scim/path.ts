import { type Attribute, attributeNamed } from './attribute.ts'
import { badRequest } from './errors.ts'
import { type ResourceType, topAttributes } from './schemas.ts'

/** What a path names (RFC 7644, 3.5.2 and 3.10), each name as its schema writes it. */
export interface Path {
  /** The extension that the attribute belongs to. */
  readonly extension?: string
  /** None: the extension as a whole. */
  readonly name?: string
  /** None: an attribute that no schema of ours has. */
  readonly attribute?: Attribute
  readonly filter?: string
  readonly subName?: string
}

const grammar = /^(?:(urn:[^[\]"]+):)?([a-z$][\w$-]*)(?:\[(.*)\])?(?:\.([a-z$][\w$-]*))?$/is

/** @throws ScimError 'invalidPath' */
export function readPath(type: ResourceType, text: string): Path {
  const { schema, extension } = type
  if (extension && isSame(text, extension.id)) return { extension: extension.id }
  const [, urn, name, filter, subName] = grammar.exec(text) ?? []
  if (name === undefined) throw badRequest('invalidPath', 'the path cannot be read: see RFC 7644, 3.5.2')

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
