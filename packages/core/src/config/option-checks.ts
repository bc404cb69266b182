import { type Clock, systemClock } from '../base/clock.ts'
import { editDistance } from '../base/edit-distance.ts'
import { ConfigurationError, errorsPage } from '../base/errors.ts'
import { completeLogger, type Logger } from '../base/logger.ts'
import { hasMethods, isJsonObject } from '../base/objects.ts'
import type { NumberRule } from './options.ts'

/**
 * Refuses unknown option names. The message suggests the name that was probably meant.
 * @param parent The name of the option that contains these options
 */
export function requireKnownNames(options: object, known: readonly string[], parent?: string): void {
  const all = known.map((name) => `\`${name}\``).join(', ')
  if (parent === undefined) requireOptions(options)
  else if (!isJsonObject(options)) {
    throw invalid(parent, `must be an object with the options ${all}`)
  }
  const path = (name: string) => (parent === undefined ? name : `${parent}.${name}`)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant
      ? `; did you mean \`${path(meant)}\`?`
      : parent
        ? `. \`${parent}\` has the options ${all}.`
        : `. ERR_SCIM_UNKNOWN_OPTION in ${errorsPage} lists the usual causes.`
    throw new ConfigurationError(
      'ERR_SCIM_UNKNOWN_OPTION',
      `There is no option \`${path(name)}\`${hint}`,
      path(name),
    )
  }
}

/**
 * Checks that the options are an object. Without this check, a function or a promise would count as empty options.
 * Adapters call this function before they read the options.
 * @param example A correct call, which the error message shows
 * @throws ConfigurationError if the options are not an object
 */
export function requireOptions(options: unknown, example?: string): void {
  if (isJsonObject(options) && !isPromise(options)) return
  const fix = isPromise(options) ? ' Await it first.' : typeof options === 'function' ? ' Call it first.' : ''
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    `The options must be an object, but ${kindOf(options)} was given.${fix}${example ? ` Write \`${example}\`.` : ''}`,
  )
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'a list'
  return isPromise(value) ? 'a promise' : `a ${typeof value}`
}

export function numberOption(name: string, value: unknown, rule: NumberRule): number {
  if (value === undefined) return rule.default
  if (typeof value === 'number' && value >= rule.min && value <= rule.max) return value
  throw invalid(name, `must be a number from ${rule.min} to ${rule.max}`)
}

/** Checks the numeric options that `rules` lists, and fills in their defaults. */
export function numberOptions<Name extends string>(
  options: { readonly [name in NoInfer<Name>]?: unknown },
  rules: Readonly<Record<Name, NumberRule>>,
): Record<Name, number> {
  const names = Object.keys(rules) as Name[]
  const entries = names.map((name) => [name, numberOption(name, options[name], rules[name])])
  return Object.fromEntries(entries)
}

export function choiceOption<Choice extends string>(
  name: string,
  value: Choice | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined || choices.includes(value)) return value
  throw invalid(name, `must be ${choices.map((choice) => `'${choice}'`).join(' or ')}`)
}

export function loggerOption(logger: Partial<Logger> | false | undefined): Logger {
  if (logger === undefined || logger === false || (typeof logger === 'object' && logger !== null)) {
    return completeLogger(logger)
  }
  throw invalid('logger', 'must be a logger such as pino or `console`, or `false` to log nothing')
}

export function clockOption(clock: Clock | undefined): Clock {
  if (clock === undefined) return systemClock
  if (hasMethods(clock, ['now', 'monotonic', 'setTimeout'])) return clock
  throw invalid('clock', 'must have the methods `now`, `monotonic` and `setTimeout`')
}

export function namespaceOption(namespace: unknown): string | undefined {
  if (namespace === undefined) return undefined
  // In a Redis cluster, a hash tag places a namespace's keys on one node. A brace would end the hash tag.
  if (typeof namespace === 'string' && /^[^\s{}\p{Cc}\p{Cs}]{1,64}$/u.test(namespace)) return namespace
  throw invalid('namespace', 'must be 1 to 64 characters, without white space or braces')
}

export function invalid(name: string, problem: string): ConfigurationError {
  return new ConfigurationError('ERR_SCIM_INVALID_OPTION', `\`${name}\` ${problem}.`, name)
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => ({
    candidate,
    edits: editDistance(name.toLowerCase(), candidate.toLowerCase()),
  }))
  const best = scored.reduce((a, b) => (b.edits < a.edits ? b : a))
  // In a short name, at most half of the letters can differ. Without this limit, `x` would suggest `on`.
  const allowedEdits = Math.min(Math.max(2, name.length / 4), name.length / 2)
  if (best.edits <= allowedEdits) return best.candidate
  // For example, `tolerance` means `toleranceSeconds`.
  if (name.length < 4) return undefined
  return known.find((candidate) => candidate.startsWith(name) || endsWithWord(name, candidate))
}

function endsWithWord(name: string, word: string): boolean {
  return name.endsWith(word.charAt(0).toUpperCase() + word.slice(1))
}

/** @throws ConfigurationError if `path` is not an absolute path */
export function requirePath(path: unknown): void {
  if (typeof path === 'string' && /^\/[^?#\s]*$/.test(path)) return
  throw invalid('path', "must be a path such as '/webhooks/scalekit', without host or query")
}
