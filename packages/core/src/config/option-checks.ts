import { type Clock, systemClock } from '../base/clock.ts'
import { editDistance } from '../base/edit-distance.ts'
import { ConfigurationError } from '../base/errors.ts'
import { completeLogger, type Logger } from '../base/logger.ts'
import type { NumberRule } from './options.ts'

/**
 * Rejects names that are not known, with the one that was probably meant.
 * @param parent The option that these are within
 */
export function requireKnownNames(options: object, known: readonly string[], parent?: string): void {
  const all = known.map((name) => `\`${name}\``).join(', ')
  if (parent === undefined) requireOptions(options)
  else if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(parent, `must be an object; its options are ${all}`)
  }
  const path = (name: string) => (parent === undefined ? name : `${parent}.${name}`)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant
      ? `; did you mean \`${path(meant)}\`?`
      : parent
        ? `: those of \`${parent}\` are ${all}.`
        : '.'
    throw new ConfigurationError(
      'ERR_SCIM_UNKNOWN_OPTION',
      `There is no option \`${path(name)}\`${hint}`,
      path(name),
    )
  }
}

/**
 * For adapters, before they take the options apart: a function or a promise has no properties that are options, so it
 * would pass for options without a handler.
 * @param example How the options are given
 * @throws ConfigurationError unless they are an object
 */
export function requireOptions(options: unknown, example?: string): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options)
  if (isObject && !isPromise(options)) return
  const fix = isPromise(options) ? ' Await it first.' : typeof options === 'function' ? ' Call it first.' : ''
  throw new ConfigurationError(
    'ERR_SCIM_INVALID_OPTION',
    `The options must be an object, and ${kindOf(options)} was given.${fix}${example ? ` Write \`${example}\`.` : ''}`,
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
  if (typeof value === 'number' && value >= rule.least && value <= rule.most) return value
  throw invalid(name, `must be a number from ${rule.least} to ${rule.most}`)
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
  throw invalid('logger', 'must be a logger such as pino or `console`, or `false` for silence')
}

export function clockOption(clock: Clock | undefined): Clock {
  if (clock === undefined) return systemClock
  const verbs = ['now', 'monotonic', 'setTimeout'] as const
  if (
    typeof clock === 'object' &&
    clock !== null &&
    verbs.every((verb) => typeof clock[verb] === 'function')
  ) {
    return clock
  }
  throw invalid('clock', 'must have the methods `now`, `monotonic` and `setTimeout`')
}

export function namespaceOption(namespace: unknown): string | undefined {
  // Braces would end the hash tag that keeps a namespace's keys on one node of a Redis cluster.
  if (
    namespace === undefined ||
    (typeof namespace === 'string' && /^[^\s{}\p{Cc}\p{Cs}]{1,64}$/u.test(namespace))
  ) {
    return namespace
  }
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
  // No more than half of a short name may be wrong, or `x` would be taken for `on`.
  const most = Math.min(Math.max(2, name.length / 4), name.length / 2)
  if (best.edits <= most) return best.candidate
  // `tolerance` for toleranceSeconds, `signingSecret` for secret.
  if (name.length < 4) return undefined
  return known.find((candidate) => candidate.startsWith(name) || endsWithWord(name, candidate))
}

function endsWithWord(name: string, word: string): boolean {
  return name.endsWith(word.charAt(0).toUpperCase() + word.slice(1))
}

/** For adapters. @throws ConfigurationError unless `path` is an absolute path */
export function requirePath(path: unknown): void {
  if (typeof path === 'string' && /^\/[^?#\s]*$/.test(path)) return
  throw invalid('path', "must be a path such as '/webhooks/scalekit', without host or query")
}
