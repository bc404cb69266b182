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
 * Returns the event with one field set by its path: `data.active=false`. In `data`, a value that is valid JSON is read
 * as JSON, and any other value as text. In the envelope, the value is text or `null`.
 * @throws Failure
 */
export function withField(event: JsonObject, assignment: string): JsonObject {
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
  if (path === 'data' && !isJsonObject(value)) {
    throw wrongUsage('--set data takes a JSON object. To set one field of it, give --set data.<path>=value.')
  }
  if (names[0] === 'data') return withInner(event, names, value === undefined ? text : value, path)
  if (!envelopeFields.includes(path)) {
    const hint =
      path === 'type'
        ? 'the type is the argument of the command, as in send user_updated.'
        : `events do not have such a field. Give data.<path>, or one of ${envelopeFields.join(', ')}.`
    throw wrongUsage(`--set ${path}: ${hint}`)
  }
  return { ...event, [path]: value === null || typeof value === 'string' ? value : text }
}

/** A computed name and a spread treat `__proto__` as an ordinary name, as the JSON parser does. */
function withInner(holder: JsonObject, names: readonly string[], value: unknown, path: string): JsonObject {
  const [name = '', ...rest] = names
  if (rest.length === 0) return { ...holder, [name]: value }
  const inner = Object.hasOwn(holder, name) ? holder[name] : {}
  if (!isJsonObject(inner)) {
    throw wrongUsage(`--set ${path}: ${name} is not an object, so it cannot have fields.`)
  }
  return { ...holder, [name]: withInner(inner, rest, value, path) }
}
