/** How filters and PATCH paths name an attribute (RFC 7644, figure 1: `attrPath`), as the client wrote it. */
export interface AttributePath {
  /** The schema, if the name is a full one. */
  readonly urn?: string
  readonly name: string
  readonly subName?: string
}

const grammar = /^(?:(urn:[^\s"()[\]]+):)?([a-z$][\w$-]*)(?:\.([a-z$][\w$-]*))?$/i

/** `urn:…:2.0:User.department`: some clients write a dot where RFC 7644, 3.10 has a colon. */
const dotAfterSchema = /^(urn:[^\s"()[\]]*:(?:user|group))\./i

/** `urn:…:2.0.User`: not a schema, but one whose name was misspelt. */
const dotInSchema = /\.(?:user|group)$/i

/** `undefined` if the text is not the name of an attribute. */
export function readAttributePath(text: string): AttributePath | undefined {
  const [, urn, name, subName] = grammar.exec(text.replace(dotAfterSchema, '$1:')) ?? []
  if (name === undefined || (urn !== undefined && dotInSchema.test(urn))) return undefined
  return { ...(urn === undefined ? {} : { urn }), name, ...(subName === undefined ? {} : { subName }) }
}
