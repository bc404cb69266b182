import { after, type Configuration, keyOf, mostOpen, without } from './configurations.ts'
import { initialState, isRefusal, isTooLate, type State, statesAfter } from './contract.ts'
import { isAnswered, type Operation } from './operations.ts'

// Searches for an order of the operations that the contract allows, as Wing and Gong describe ("Testing and Verifying
// Concurrent Objects", 1993). The search follows Lowe's just-in-time method ("Testing for Linearizability", 2017). It
// reads the calls and returns in the order of their times. At each return, it keeps every configuration in which the
// operation has taken effect. If no configuration is left, no order exists.

/** A history for which no order exists. */
export interface Refusal {
  /** The operations until the last moment with one possible state and no open call. */
  earlier: readonly Operation[]
  /** The state at that moment. */
  before: State
  /** The operations since that moment, until the refused return. */
  operations: readonly Operation[]
  refused: Operation
}

/** Thrown if many calls without an answer allow too many orders for the search to end in time. */
export class TooManyOrders extends Error {}

/** The search ends after this number of configurations: after about half a second. */
const mostConfigurations = 50_000

/**
 * Returns `undefined` if the history has an order that the contract allows.
 * @throws TooManyOrders
 */
export function refusalOf(history: readonly Operation[]): Refusal | undefined {
  const search = new Search(history)
  for (const { operation, isCall } of eventsOf(history)) {
    if (isCall) search.call(operation)
    else if (!search.return(operation)) return search.refusal(operation)
  }
  return undefined
}

class Search {
  #configurations: readonly Configuration[] = [{ state: initialState, early: new Set() }]
  readonly #open = new Set<Operation>()
  /** For each token, the number of its `begin` calls that may still change something. */
  readonly #begins = new Map<string, number>()
  // For the text of a refusal.
  readonly #earlier: Operation[] = []
  #before = initialState
  #operations: Operation[] = []
  #configurationsTried = 0

  constructor(history: readonly Operation[]) {
    for (const operation of history) this.#countBegin(operation, 1)
  }

  #countBegin(operation: Operation, difference: 1 | -1): void {
    if (operation.verb !== 'begin') return
    const { token } = operation.request
    this.#begins.set(token, (this.#begins.get(token) ?? 0) + difference)
  }

  call(operation: Operation): void {
    const [only, ...others] = this.#configurations
    if (this.#open.size === 0 && only && others.length === 0) {
      this.#before = only.state
      this.#earlier.push(...this.#operations)
      this.#operations = []
    }
    this.#open.add(operation)
    this.#operations.push(operation)
  }

  /** @returns whether an order exists so far */
  return(operation: Operation): boolean {
    this.#configurations = this.#reach(operation)
    this.#close(operation)
    for (const open of this.#open) if (this.#isOver(open)) this.#close(open)
    this.#configurations = mostOpen(this.#configurations)
    return this.#configurations.length > 0
  }

  refusal(refused: Operation): Refusal {
    return { earlier: this.#earlier, before: this.#before, operations: this.#operations, refused }
  }

  /** Lets open operations take effect in each possible order, until `wanted` has taken effect. */
  #reach(wanted: Operation): Configuration[] {
    const reached: Configuration[] = []
    const seen = new Set<string>()
    const waiting = [...this.#configurations]
    const numbers = new Map([...this.#open].map((operation, number) => [operation, number]))
    for (let from = waiting.pop(); from; from = waiting.pop()) {
      if (++this.#configurationsTried > mostConfigurations) throw new TooManyOrders()
      if (from.early.has(wanted)) {
        reached.push(from)
        continue
      }
      for (const to of this.#steps(from)) {
        const early = [...to.early].map((operation) => numbers.get(operation)).sort()
        const key = `${early} ${keyOf(to.state)}`
        if (!seen.has(key)) waiting.push(to)
        seen.add(key)
      }
    }
    return reached
  }

  #steps(from: Configuration): Configuration[] {
    const steps: Configuration[] = []
    for (const operation of this.#open) {
      if (!isAnswered(operation) || from.early.has(operation)) continue
      const direct = statesAfter(from.state, operation).map((state) => after(from, operation, state))
      // It can take effect now, and changes nothing now or later. So no other order needs to be tried.
      if (direct.length > 0 && this.#changesNothing(operation, from.state)) return direct
      const isEnough = direct.length > 0 && isRefusal(operation)
      steps.push(...mostOpen(isEnough ? direct : [...direct, ...this.#stepsAfterHidden(from, operation)]))
    }
    return steps
  }

  /**
   * Lets calls without an answer take effect first. If the operation is a refusal, stops when the contract allows it:
   * calls that it does not require can also take effect after it. At most one of the calls is a `begin`, because the
   * last one alone leads to the same state.
   */
  #stepsAfterHidden(from: Configuration, operation: Operation): Configuration[] {
    const steps: Configuration[] = []
    const waiting = [{ from, mayBegin: true }]
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if (++this.#configurationsTried > mostConfigurations) throw new TooManyOrders()
      const { from, mayBegin } = next
      for (const hidden of this.#open) {
        const isBegin = hidden.verb === 'begin'
        if (isAnswered(hidden) || from.early.has(hidden) || (isBegin && !mayBegin)) continue
        for (const state of statesAfter(from.state, hidden)) {
          if (state === from.state) continue
          const between = after(from, hidden, state)
          const states = statesAfter(state, operation)
          steps.push(...states.map((last) => after(between, operation, last)))
          if (states.length === 0 || !isRefusal(operation))
            waiting.push({ from: between, mayBegin: mayBegin && !isBegin })
        }
      }
    }
    return steps
  }

  #changesNothing(operation: Operation, state: State): boolean {
    return operation.verb === 'release' ? this.#isTooLate(operation, state) : isRefusal(operation)
  }

  /** Whether the operation has no answer, and can no longer change anything. */
  #isOver(operation: Operation): boolean {
    return (
      !isAnswered(operation) && this.#configurations.every(({ state }) => this.#isTooLate(operation, state))
    )
  }

  #isTooLate(operation: Operation, state: State): boolean {
    if (operation.verb === 'release' && this.#begins.get(operation.token)) return false
    return isTooLate(state, operation)
  }

  #close(operation: Operation): void {
    this.#open.delete(operation)
    this.#countBegin(operation, -1)
    this.#configurations = this.#configurations.map((configuration) => ({
      ...configuration,
      early: without(configuration.early, operation),
    }))
  }
}

/** Calls come before returns of the same time, so that these operations count as concurrent. */
function eventsOf(history: readonly Operation[]): { operation: Operation; isCall: boolean }[] {
  const events = history.flatMap((operation) => {
    const { calledMs, returnedMs } = operation
    const call = { operation, isCall: true, ms: calledMs }
    return returnedMs === undefined ? [call] : [call, { operation, isCall: false, ms: returnedMs }]
  })
  return events.sort((a, b) => a.ms - b.ms || Number(b.isCall) - Number(a.isCall))
}
