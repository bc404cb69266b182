import { invalid, requireKnownNames } from '@scalekit-scim/core/internal'
import type { z } from 'zod'

/** What an option can be, for a check and in words. */
export type Rule = readonly [schema: z.ZodType, what: string, isNeeded?: true]

/** The same of an option that may not be left out. */
export function needed([schema, what]: Rule): Rule {
  return [schema, what, true]
}

/**
 * @param parent The path of the option that these are within
 * @throws ConfigurationError for the first that is not there or has no value that it can have
 */
export function requireRules(options: object, rules: Readonly<Record<string, Rule>>, parent?: string): void {
  requireKnownNames(options, Object.keys(rules), parent)
  const values = new Map<string, unknown>(Object.entries(options))
  for (const [name, rule] of Object.entries(rules)) {
    requireRule(values.get(name), rule, parent === undefined ? name : `${parent}.${name}`)
  }
}

/** @throws ConfigurationError */
export function requireRule(value: unknown, [schema, what, isNeeded]: Rule, path: string): void {
  if ((value === undefined && !isNeeded) || schema.safeParse(value).success) return
  throw invalid(path, `must be ${what}`)
}
