import { omitUndefined } from '@scalekit-scim/core/internal'

/** The name of an attribute in a filter or a PATCH path, as the client wrote it (RFC 7644, figure 1: `attrPath`). */
export interface AttributePath {
  /** The schema, if the name contains it. */
  readonly urn?: string
  readonly name: string
  readonly subName?: string
}

const grammar = /^(?:(urn:[^\s"()[\]]+):)?([a-z$][\w$-]*)(?:\.([a-z$][\w$-]*))?$/i

/** `urn:…:2.0:User.department`: some clients write a dot instead of the colon of RFC 7644, 3.10. */
const dotAfterSchema = /^(urn:[^\s"()[\]]*:(?:user|group))\./i

/** `urn:…:2.0.User`: the misspelled name of a schema. */
const dotInSchema = /\.(?:user|group)$/i

/** Returns `undefined` if the text is not the name of an attribute. */
export function readAttributePath(text: string): AttributePath | undefined {
  const [, urn, name, subName] = grammar.exec(text.replace(dotAfterSchema, '$1:')) ?? []
  if (name === undefined || (urn !== undefined && dotInSchema.test(urn))) return undefined
  return { name, ...omitUndefined({ urn, subName }) }
}
