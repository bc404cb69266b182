import { type Filter, parse, Tester } from 'scim2-parse-filter'
import { badRequest } from './errors.ts'
import { type Fields, isFields } from './values.ts'

const corePrefix = /^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):/i
const caseExactNames = new Set(['id', 'externalid', '$ref', 'resourcetype', 'version', 'location'])
const timeNames = new Set(['created', 'lastmodified'])

/** @throws ScimError 'invalidFilter' */
export function parseFilter(text: string): Filter {
  try {
    // None can stand in a filter (RFC 7644, figure 1), and the parser's own expression is slow to say so.
    if (/\n/.test(text)) throw new Error('line break')
    return parse(text)
  } catch {
    throw badRequest('invalidFilter', 'the filter cannot be read: see RFC 7644, 3.4.2.2')
  }
}

export function matches(resource: unknown, filter: Filter): boolean {
  return tester.test(resource, filter)
}

/** What the filter wants that attribute to be, where it asks for nothing else. */
export function wantedValue(filter: Filter, name: string): string | undefined {
  if (filter.op !== 'eq' || !('compValue' in filter)) return undefined
  const isIt = filter.attrPath.replace(corePrefix, '').toLowerCase() === name.toLowerCase()
  return isIt && typeof filter.compValue === 'string' ? filter.compValue : undefined
}

/** What must be in an element that the filter would find; `undefined` where it does not say. */
export function impliedFields(filter: Filter): Fields | undefined {
  if (filter.op === 'eq' && 'compValue' in filter) {
    return /^\w+$/.test(filter.attrPath) ? { [filter.attrPath]: filter.compValue } : undefined
  }
  if (filter.op !== 'and' || !('filters' in filter)) return undefined
  const parts = filter.filters.map(impliedFields)
  return parts.every((part) => part !== undefined) ? Object.assign({}, ...parts) : undefined
}

/**
 * The library compares as written. RFC 7643, 2.2 has most strings without regard to case, and 7644, 3.4.2.2 times by
 * when they are, and a list of objects by their values.
 */
class ScimTester extends Tester {
  override test(resource: unknown, filter: Filter): boolean {
    if (!('compValue' in filter)) return super.test(resource, filter)
    const path = this.attrPath(filter.attrPath)
    const name = path.at(-1)?.toLowerCase() ?? ''
    const wanted = comparable(name, filter.compValue)
    return this.attrTest(path, resource, (found) =>
      [found].flat().some((value) => this[filter.op](comparable(name, value), wanted)),
    )
  }

  override attrPath(path: string): string[] {
    return super.attrPath(path.replace(corePrefix, ''))
  }
}

const tester = new ScimTester()

type Comparable = string | number | null

function comparable(name: string, value: unknown): Comparable {
  if (isFields(value)) return comparable('value', value.value)
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return null
  if (timeNames.has(name)) return Date.parse(value)
  return caseExactNames.has(name) ? value : value.toLowerCase()
}
