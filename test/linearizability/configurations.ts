import type { State } from './contract.ts'
import { isAnswered, type Operation } from './operations.ts'

/** One possible past. */
export interface Configuration {
  state: State
  /** The operations that have taken effect and have not returned. */
  early: ReadonlySet<Operation>
}

export function after({ early }: Configuration, operation: Operation, state: State): Configuration {
  return { state, early: new Set(early).add(operation) }
}

export function without(operations: ReadonlySet<Operation>, operation: Operation): ReadonlySet<Operation> {
  if (!operations.has(operation)) return operations
  const rest = new Set(operations)
  rest.delete(operation)
  return rest
}

/**
 * Leaves out a configuration if another one has the same state, and fewer of the calls without an answer have taken
 * effect. The other one can reach the same states, because such a call need not take effect.
 */
export function mostOpen(configurations: readonly Configuration[]): Configuration[] {
  const kept = new Map<string, Configuration[]>()
  for (const configuration of configurations.toSorted((a, b) => a.early.size - b.early.size)) {
    const key = keyOf(configuration.state)
    const alike = kept.get(key) ?? []
    if (!alike.some((other) => needsFewer(other, configuration))) kept.set(key, [...alike, configuration])
  }
  return [...kept.values()].flat()
}

function needsFewer(a: Configuration, b: Configuration): boolean {
  const onlyInB = [...b.early].filter((operation) => !a.early.has(operation))
  return onlyInB.length === b.early.size - a.early.size && !onlyInB.some(isAnswered)
}

const keys = new WeakMap<State, string>()

export function keyOf(state: State): string {
  const key = keys.get(state) ?? JSON.stringify({ ...state, done: [...state.done].sort() })
  keys.set(state, key)
  return key
}
