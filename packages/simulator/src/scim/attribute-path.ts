/** How filters and PATCH paths name an attribute (RFC 7644, figure 1: `attrPath`), as the client wrote it. */
export interface AttributePath {
  /** The schema, if the name is a full one. */
  readonly urn?: string
  readonly name: string
  readonly subName?: string
}

const grammar = /^(?:(urn:[^\s"()[\]]+):)?([a-z$][\w$-]*)(?:\.([a-z$][\w$-]*))?$/i

/** `undefined` if the text is not the name of an attribute. */
export function readAttributePath(text: string): AttributePath | undefined {
  const [, urn, name, subName] = grammar.exec(text) ?? []
  if (name === undefined) return undefined
  return { ...(urn === undefined ? {} : { urn }), name, ...(subName === undefined ? {} : { subName }) }
}
