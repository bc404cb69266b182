import { readAttributePath } from './attribute-path.ts'
import { badRequest, type ScimError } from './errors.ts'

// The grammar of filters (RFC 7644, figure 1). `not` binds more tightly than `and`, and `and` more tightly than `or`.

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

/** The steps from a resource, or from a value of a list, to an attribute: extension, name, sub-attribute. */
export type PathSteps = readonly string[]
export type CompareValue = string | number | boolean | null

const comparisonOperators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type ComparisonOperator = (typeof comparisonOperators)[number]

const coreSchema = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group)$/i

/** Deeper filters could overflow the stack. */
const maxNesting = 50

/** @throws ScimError 'invalidFilter' */
export function parseFilter(text: string): Filter {
  const reader = new FilterReader(text, 0)
  const filter = reader.filter()
  if (reader.at < text.length) throw reader.failure()
  return filter
}

/** Reads a filter after an opening bracket. `end` is the position after the closing one. @throws ScimError */
export function parseBracketedFilter(text: string, from: number): { filter: Filter; end: number } {
  const reader = new FilterReader(text, from)
  const filter = reader.nested(/ *\]/y)
  return { filter, end: reader.at }
}

class FilterReader {
  readonly #text: string
  #at: number
  #depth = 0

  constructor(text: string, at: number) {
    this.#text = text
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  failure(): ScimError {
    const position = this.#at + 1
    return badRequest(
      'invalidFilter',
      `the filter is invalid at character ${position}: see RFC 7644, 3.4.2.2`,
    )
  }

  filter(): Filter {
    return this.#joined('or', / +or +/iy, () => this.#joined('and', / +and +/iy, () => this.#term()))
  }

  nested(closing: RegExp): Filter {
    if (++this.#depth > maxNesting) throw this.failure()
    this.#take(/ */y)
    const filter = this.filter()
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
    return this.#take(/\[/y) === undefined ? this.#test(path) : this.#valuePath(path)
  }

  /** Entra ID continues after the bracket: `emails[type eq "work"].value eq "…"`. Both parts apply to the same value. */
  #valuePath(path: PathSteps): Filter {
    const filter = this.nested(/ *\]/y)
    if (this.#take(/\./y) === undefined) return { op: 'any', path, filter }
    return { op: 'any', path, filter: { op: 'and', filters: [filter, this.#test(this.#path())] } }
  }

  #path(): PathSteps {
    const start = this.#at
    const path = readAttributePath(this.#require(/[^\s"()[\]]+/y))
    if (!path) {
      this.#at = start
      throw this.failure()
    }
    const { urn, name, subName } = path
    const schema = urn === undefined || coreSchema.test(urn) ? undefined : urn
    return [schema, name, subName].filter((step) => step !== undefined)
  }

  #test(path: PathSteps): Filter {
    this.#require(/ +/y)
    const start = this.#at
    const name = this.#require(/[a-z]+/iy).toLowerCase()
    if (name === 'pr') return { op: 'pr', path }
    const op = comparisonOperators.find((known) => known === name)
    if (!op) {
      this.#at = start
      throw this.failure()
    }
    this.#require(/ +/y)
    return { op, path, value: this.#value(op) }
  }

  #value(op: ComparisonOperator): CompareValue {
    const start = this.#at
    const value = readJson(this.#text[start] === '"' ? this.#string() : this.#require(/[^\s"()[\]]+/y))
    const isUsable =
      typeof value === 'string' ||
      typeof value === 'number' ||
      // Booleans and null have no order, and RFC 7644, table 3 forbids order comparisons of booleans.
      ((typeof value === 'boolean' || value === null) && (op === 'eq' || op === 'ne'))
    if (isUsable) return value
    this.#at = start
    throw this.failure()
  }

  /** The text of a JSON string, with its quotes. */
  #string(): string {
    const start = this.#at
    let end = start + 1
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1
    this.#at = end + 1
    return this.#text.slice(start, end + 1)
  }

  #require(token: RegExp): string {
    const found = this.#take(token)
    if (found === undefined) throw this.failure()
    return found
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at
    const found = token.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }
}

/** Returns the parsed JSON, or `undefined` if the text is not JSON. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
