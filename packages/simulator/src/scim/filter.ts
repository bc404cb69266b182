import { isJsonObject, type JsonObject } from '@scalekit-scim/core/internal'
import type { Comparison, ComparisonOperator, Filter, PathSteps } from './filter-grammar.ts'

const caseExactNames = new Set(['id', 'externalid', '$ref', 'resourcetype', 'version', 'location'])
const timeNames = new Set(['created', 'lastmodified'])

/** Returns whether a resource, or a value of a list, matches the filter (RFC 7644, 3.4.2.2). */
export function matches(subject: unknown, filter: Filter): boolean {
  switch (filter.op) {
    case 'and':
      return filter.filters.every((part) => matches(subject, part))
    case 'or':
      return filter.filters.some((part) => matches(subject, part))
    case 'not':
      return !matches(subject, filter.filter)
    case 'any':
      return valuesAt(subject, filter.path).some((value) => matches(value, filter.filter))
    case 'pr':
      return valuesAt(subject, filter.path).some(isPresent)
    default:
      return isComparisonTrue(valuesAt(subject, filter.path), filter)
  }
}

/** If the filter is only `name eq "value"`, returns the value. */
export function filteredValue(filter: Filter, name: string): string | undefined {
  if (filter.op !== 'eq' || filter.path.length > 1) return undefined
  const isNamed = filter.path[0]?.toLowerCase() === name.toLowerCase()
  return isNamed && typeof filter.value === 'string' ? filter.value : undefined
}

/**
 * Returns the fields that each matching value must have. If the filter does not determine the fields, returns
 * `undefined`.
 */
export function impliedFields(filter: Filter | undefined): JsonObject | undefined {
  if (filter === undefined) return {}
  if (filter.op === 'eq') {
    const [name, ...rest] = filter.path
    return name === undefined || rest.length > 0 ? undefined : { [name]: filter.value }
  }
  if (filter.op !== 'and') return undefined
  const parts = filter.filters.map(impliedFields)
  return parts.every((part) => part !== undefined) ? Object.assign({}, ...parts) : undefined
}

/** Returns the values at a path, including all items of lists. Ignores the case of names (RFC 7643, 2.1). */
function valuesAt(subject: unknown, steps: PathSteps): unknown[] {
  if (Array.isArray(subject)) return subject.flatMap((value) => valuesAt(value, steps))
  const [step, ...rest] = steps
  if (step === undefined) return [subject]
  if (!isJsonObject(subject)) return []
  const wanted = step.toLowerCase()
  const name = Object.keys(subject).find((known) => known.toLowerCase() === wanted)
  return name === undefined ? [] : valuesAt(subject[name], rest)
}

/** Returns whether the value is not empty. By RFC 7643, 2.5, an empty value is the same as a missing value. */
function isPresent(value: unknown): boolean {
  if (isJsonObject(value)) return Object.values(value).some(isPresent)
  return value !== undefined && value !== null && value !== ''
}

function isComparisonTrue(found: readonly unknown[], { op, path, value }: Comparison): boolean {
  if (value === null) return found.some(isPresent) === (op === 'ne')
  const name = path.at(-1)?.toLowerCase() ?? ''
  const wanted = comparable(name, value)
  const compare = comparisons[op]
  return found.some((one) => compare(comparable(name, one), wanted))
}

type Comparable = string | number | undefined

/**
 * Returns the value in the form for comparisons (RFC 7643, 2.2 and RFC 7644, 3.4.2.2). Most strings are not
 * case-sensitive. Times become numbers.
 */
function comparable(name: string, value: unknown): Comparable {
  if (isJsonObject(value)) return comparable('value', value.value)
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return undefined
  if (timeNames.has(name)) return Date.parse(value)
  return caseExactNames.has(name) ? value : value.toLowerCase()
}

const comparisons: Readonly<Record<ComparisonOperator, (found: Comparable, wanted: Comparable) => boolean>> =
  {
    eq: (found, wanted) => found === wanted,
    ne: (found, wanted) => found !== wanted,
    co: (found, wanted) => String(found ?? '').includes(String(wanted)),
    sw: (found, wanted) => String(found ?? '').startsWith(String(wanted)),
    ew: (found, wanted) => String(found ?? '').endsWith(String(wanted)),
    gt: (found, wanted) => order(found, wanted) > 0,
    ge: (found, wanted) => order(found, wanted) >= 0,
    lt: (found, wanted) => order(found, wanted) < 0,
    le: (found, wanted) => order(found, wanted) <= 0,
  }

/** Compares two values. If the values do not have an order, returns `NaN`. */
function order(found: Comparable, wanted: Comparable): number {
  if (typeof found === 'number' && typeof wanted === 'number') return found - wanted
  if (typeof found !== 'string' || typeof wanted !== 'string') return Number.NaN
  return found === wanted ? 0 : found < wanted ? -1 : 1
}
