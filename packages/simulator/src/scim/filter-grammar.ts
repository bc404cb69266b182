import { omitUndefined, readSafely } from '@scalekit-scim/core/internal'
import { badRequest, type ScimError } from './messages.ts'

// The grammar of filters (RFC 7644, figure 1). `not` has the highest precedence, then `and`, then `or`.

export type Filter =
  | { readonly op: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly op: 'not'; readonly filter: Filter }
  /** `emails[type eq "work"]`: the filter applies to each value of the list. */
  | { readonly op: 'any'; readonly path: PathSteps; readonly filter: Filter }
  | { readonly op: 'pr'; readonly path: PathSteps }
  | Comparison

export interface Comparison {
  readonly op: ComparisonOperator
  readonly path: PathSteps
  readonly value: CompareValue
}

/** The path to an attribute, from a resource or from a value of a list: extension, name, sub-attribute. */
export type PathSteps = readonly string[]
export type CompareValue = string | number | boolean | null

const comparisonOperators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type ComparisonOperator = (typeof comparisonOperators)[number]

const coreSchema = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group)$/i

/**
 * The name of an attribute in a filter or a PATCH path (RFC 7644, figure 1: `attrPath`). The name is spelled as in
 * the request.
 */
export interface AttributePath {
  /** The id of the schema. Absent in a name without a schema. */
  readonly urn?: string
  readonly name: string
  readonly subName?: string
}

const grammar = /^(?:(urn:[^\s"()[\]]+):)?([a-z$][\w$-]*)(?:\.([a-z$][\w$-]*))?$/i

/** `urn:…:2.0:User.department`. RFC 7644, 3.10 requires a colon before the attribute, but some clients send a dot. */
const dotAfterSchema = /^(urn:[^\s"()[\]]*:(?:user|group))\./i

/** Matches a misspelled schema: `urn:…:2.0.User`. */
const dotInSchema = /\.(?:user|group)$/i

/** Returns the parts of the name. If the text is not the name of an attribute, returns `undefined`. */
export function readAttributePath(text: string): AttributePath | undefined {
  const [, urn, name, subName] = grammar.exec(text.replace(dotAfterSchema, '$1:')) ?? []
  if (name === undefined || (urn !== undefined && dotInSchema.test(urn))) return undefined
  return { name, ...omitUndefined({ urn, subName }) }
}

/** The largest number of nested parentheses and brackets. Deeper filters could overflow the stack. */
const maxNesting = 50

/**
 * Reads a filter up to its closing token, which is a bracket or the end of the text. `end` is the position after the
 * closing token.
 *
 * @throws ScimError 'invalidFilter'
 */
export function parseFilter(text: string, from = 0, closing = /$/y): { filter: Filter; end: number } {
  const reader = new FilterReader(text, from)
  return { filter: reader.nested(closing), end: reader.at }
}

class FilterReader {
  at: number
  readonly #text: string
  #depth = 0

  constructor(text: string, at: number) {
    this.#text = text
    this.at = at
  }

  nested(closing: RegExp): Filter {
    if (++this.#depth > maxNesting) throw this.#failure()
    this.#take(/ */y)
    const filter = this.#joined('or', / +or +/iy, () => this.#joined('and', / +and +/iy, () => this.#term()))
    this.#require(closing)
    this.#depth--
    return filter
  }

  #joined(op: 'and' | 'or', separator: RegExp, read: () => Filter): Filter {
    const first = read()
    const filters = [first]
    while (this.#take(separator) !== undefined) filters.push(read())
    return filters.length === 1 ? first : { op, filters }
  }

  #term(): Filter {
    if (this.#take(/not *\(/iy) !== undefined) return { op: 'not', filter: this.nested(/ *\)/y) }
    if (this.#take(/\(/y) !== undefined) return this.nested(/ *\)/y)
    const path = this.#path()
    if (this.#take(/\[/y) === undefined) return this.#test(path)
    const filter = this.nested(/ *\]/y)
    if (this.#take(/\./y) === undefined) return { op: 'any', path, filter }
    // Entra ID sends filters that continue after the bracket: `emails[type eq "work"].value eq "…"`. One value of the
    // list must match both parts.
    return { op: 'any', path, filter: { op: 'and', filters: [filter, this.#test(this.#path())] } }
  }

  #path(): PathSteps {
    const start = this.at
    const path = readAttributePath(this.#require(/[^\s"()[\]]+/y))
    if (!path) throw this.#failure(start)
    const { urn, name, subName } = path
    const schema = urn === undefined || coreSchema.test(urn) ? undefined : urn
    return [schema, name, subName].filter((step) => step !== undefined)
  }

  #test(path: PathSteps): Filter {
    this.#require(/ +/y)
    const start = this.at
    const name = this.#require(/[a-z]+/iy).toLowerCase()
    if (name === 'pr') return { op: 'pr', path }
    const op = comparisonOperators.find((known) => known === name)
    if (!op) throw this.#failure(start)
    this.#require(/ +/y)
    return { op, path, value: this.#value(op) }
  }

  #value(op: ComparisonOperator): CompareValue {
    const start = this.at
    const text = this.#require(/"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"()[\]]+/sy)
    const value = readSafely<unknown>(() => JSON.parse(text))
    if (typeof value === 'string' || typeof value === 'number') return value
    // Booleans and null do not have an order. RFC 7644, table 3 forbids operators such as `gt` for booleans.
    const isEquality = op === 'eq' || op === 'ne'
    if (isEquality && (typeof value === 'boolean' || value === null)) return value
    throw this.#failure(start)
  }

  #require(token: RegExp): string {
    const found = this.#take(token)
    if (found === undefined) throw this.#failure()
    return found
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.at
    const found = token.exec(this.#text)?.[0]
    this.at += found?.length ?? 0
    return found
  }

  #failure(at = this.at): ScimError {
    return badRequest('invalidFilter', `the filter is invalid at character ${at + 1}: see RFC 7644, 3.4.2.2`)
  }
}
