import { invalid, requireKnownNames } from '@scalekit-scim/core/internal'
import { z } from 'zod'

/** The allowed values of an option, as a schema and in words. */
export type Rule = readonly [schema: z.ZodType, description: string, isRequired?: true]

export const shareRule: Rule = [z.number().min(0).max(1), 'a number from 0 to 1']

export function required([schema, description]: Rule): Rule {
  return [schema, description, true]
}

/**
 * Checks all options.
 * @param parent The path of the parent option
 * @throws ConfigurationError for the first option that is unknown, missing or invalid
 */
export function requireRules(options: object, rules: Readonly<Record<string, Rule>>, parent?: string): void {
  requireKnownNames(options, Object.keys(rules), parent)
  const values = new Map<string, unknown>(Object.entries(options))
  for (const [name, rule] of Object.entries(rules)) {
    requireRule(values.get(name), rule, parent === undefined ? name : `${parent}.${name}`)
  }
}

/** @throws ConfigurationError */
export function requireRule(value: unknown, [schema, description, isRequired]: Rule, path: string): void {
  if ((value === undefined && !isRequired) || schema.safeParse(value).success) return
  throw invalid(path, `must be ${description}`)
}
