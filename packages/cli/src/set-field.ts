import { wrongUsage } from './failures.ts'
import { isJsonObject, type JsonObject, parseJson } from './files.ts'

/** The fields of Scalekit's events, except `data` and `type`. The type is an argument of the command. */
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
 * Sets one field by its path: `data.active=false`. In `data`, a value that is valid JSON is read as JSON, and any other
 * value as text. In the envelope, the value is text or `null`.
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
  const value = parseJson(text)
  if (names[0] === 'data') {
    setInData(event, names, value === undefined ? text : value)
    return
  }
  if (!envelopeFields.includes(path)) {
    const hint =
      path === 'type'
        ? 'the type is the argument of the command, as in send user_updated.'
        : `events do not have such a field. Give data.<path>, or one of ${envelopeFields.join(', ')}.`
    throw wrongUsage(`--set ${path}: ${hint}`)
  }
  event[path] = value === null || typeof value === 'string' ? value : text
}

function setInData(event: JsonObject, names: readonly string[], value: unknown): void {
  if (names.length === 1 && !isJsonObject(value)) {
    throw wrongUsage('--set data takes a JSON object. To set one field of it, give --set data.<path>=value.')
  }
  let holder = event
  for (const name of names.slice(0, -1)) {
    const inner = Object.hasOwn(holder, name) ? holder[name] : {}
    if (!isJsonObject(inner)) {
      throw wrongUsage(`--set ${names.join('.')}: ${name} is not an object, so it cannot have fields.`)
    }
    define(holder, name, inner)
    holder = inner
  }
  define(holder, String(names.at(-1)), value)
}

/** Sets a field. Treats `__proto__` as an ordinary name, as the JSON parser does. */
function define(holder: JsonObject, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, writable: true, configurable: true })
}
