import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject } from './files.ts'

/** What Scalekit's events have beside `type`, which is the command's own argument, and `data`. */
const envelopeFields = [
  'id',
  'occurred_at',
  'timestamp',
  'organization_id',
  'environment_id',
  'spec_version',
  'object',
  'display_name',
]

/**
 * Sets one field by its path: `data.active=false`. In data, any: a value that reads as JSON is that, any other is text.
 * Around it, what leaves an event: text, or null.
 * @throws Failure
 */
export function setField(event: JsonObject, assignment: string): void {
  const at = assignment.indexOf('=')
  const path = assignment.slice(0, Math.max(at, 0))
  const names = path.split('.')
  if (names.includes('')) {
    throw wrongUsage(
      `--set takes path=value, such as --set data.active=false, and not ${JSON.stringify(assignment)}.`,
    )
  }
  const text = assignment.slice(at + 1)
  if (names[0] === 'data') setInData(event, names, parsedOrText(text))
  else define(event, envelopeField(path), textOrNull(text))
}

function setInData(event: JsonObject, names: readonly string[], value: unknown): void {
  if (names.length === 1 && !isJsonObject(value)) {
    throw wrongUsage('--set data takes a JSON object. For a field of it give --set data.<path>=value.')
  }
  let holder = event
  for (const name of names.slice(0, -1)) {
    const inner = Object.hasOwn(holder, name) ? holder[name] : {}
    if (!isJsonObject(inner)) {
      throw wrongUsage(`--set ${names.join('.')}: ${name} is no object, so nothing can be set in it.`)
    }
    define(holder, name, inner)
    holder = inner
  }
  define(holder, String(names.at(-1)), value)
}

function envelopeField(path: string): string {
  if (envelopeFields.includes(path)) return path
  const hint =
    path === 'type'
      ? 'the type is the command’s own argument, as in send user_updated.'
      : `events have no such field. Give data.<path>, or one of ${envelopeFields.join(', ')}.`
  throw wrongUsage(`--set ${path}: ${hint}`)
}

function textOrNull(text: string): string | null {
  const value = parsedOrText(text)
  return value === null || typeof value === 'string' ? value : text
}

/** As a parser of JSON does it: `__proto__` is a name like others. */
function define(holder: JsonObject, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, writable: true, configurable: true })
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
