import type { Comparison, ComparisonOperator, Filter, Steps } from './filter-grammar.ts'
import { type Fields, isFields } from './values.ts'

const caseExactNames = new Set(['id', 'externalid', '$ref', 'resourcetype', 'version', 'location'])
const timeNames = new Set(['created', 'lastmodified'])

/** Whether a resource, or a value of a list, is as the filter wants it (RFC 7644, 3.4.2.2). */
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
      return isAsCompared(valuesAt(subject, filter.path), filter)
  }
}

/** What the filter wants that attribute to be, if it asks for nothing else. */
export function wantedValue(filter: Filter, name: string): string | undefined {
  if (filter.op !== 'eq' || filter.path.length > 1) return undefined
  const isIt = filter.path[0]?.toLowerCase() === name.toLowerCase()
  return isIt && typeof filter.value === 'string' ? filter.value : undefined
}

/** What must be in a value that the filter finds; `undefined` if the filter does not say. */
export function impliedFields(filter: Filter): Fields | undefined {
  if (filter.op === 'eq') {
    const [name, ...rest] = filter.path
    return name === undefined || rest.length > 0 ? undefined : { [name]: filter.value }
  }
  if (filter.op !== 'and') return undefined
  const parts = filter.filters.map(impliedFields)
  return parts.every((part) => part !== undefined) ? Object.assign({}, ...parts) : undefined
}

/** RFC 7643, 2.1: names are compared without regard to case. A list stands for each of its values. */
function valuesAt(subject: unknown, steps: Steps): unknown[] {
  if (Array.isArray(subject)) return subject.flatMap((value) => valuesAt(value, steps))
  const [step, ...rest] = steps
  if (step === undefined) return [subject]
  if (!isFields(subject)) return []
  const wanted = step.toLowerCase()
  const name = Object.keys(subject).find((known) => known.toLowerCase() === wanted)
  return name === undefined ? [] : valuesAt(subject[name], rest)
}

/** RFC 7643, 2.5: what is empty is not there. */
function isPresent(value: unknown): boolean {
  if (isFields(value)) return Object.values(value).some(isPresent)
  return value !== undefined && value !== null && value !== ''
}

function isAsCompared(found: readonly unknown[], { op, path, value }: Comparison): boolean {
  if (value === null) return found.some(isPresent) === (op === 'ne')
  const name = path.at(-1)?.toLowerCase() ?? ''
  const wanted = comparable(name, value)
  const compare = comparisons[op]
  return found.some((one) => compare(comparable(name, one), wanted))
}

type Comparable = string | number | undefined

/** RFC 7643, 2.2 and RFC 7644, 3.4.2.2: most strings are compared without regard to case, times as points in time. */
function comparable(name: string, value: unknown): Comparable {
  if (isFields(value)) return comparable('value', value.value)
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

/** Not a number if the two cannot be put in order. */
function order(found: Comparable, wanted: Comparable): number {
  if (typeof found === 'number' && typeof wanted === 'number') return found - wanted
  if (typeof found !== 'string' || typeof wanted !== 'string') return Number.NaN
  return found === wanted ? 0 : found < wanted ? -1 : 1
}
