import type { Clock } from '../base/clock.ts'

/** Ends a turn that was taken. */
export type EndTurn = () => void

interface Waiter {
  order: string
  give(turn: EndTurn): void
}

/**
 * The events of one resource wait here for each other, the oldest first, so that of one process only one at a
 * time asks the ledger, and nothing is claimed while an event waits.
 */
export class Turns {
  readonly #clock: Clock
  /** A resource is here while its turn is taken; those who wait are sorted. */
  readonly #waiting = new Map<string, Waiter[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The turn, or `undefined` when it did not come in time or the signal aborted. */
  take(resource: string, order: string, waitMs: number, signal: AbortSignal): Promise<EndTurn | undefined> {
    const waiting = this.#waiting.get(resource)
    if (!waiting) {
      this.#waiting.set(resource, [])
      return Promise.resolve(this.#end(resource))
    }
    return new Promise((resolve) => {
      const settle = (turn: EndTurn | undefined) => {
        timer.cancel()
        signal.removeEventListener('abort', giveUp)
        resolve(turn)
      }
      const waiter: Waiter = { order, give: settle }
      const giveUp = () => {
        const index = waiting.indexOf(waiter)
        if (index >= 0) waiting.splice(index, 1)
        settle(undefined)
      }
      const timer = this.#clock.setTimeout(giveUp, waitMs)
      signal.addEventListener('abort', giveUp)
      const later = waiting.findIndex((other) => other.order > order)
      waiting.splice(later < 0 ? waiting.length : later, 0, waiter)
    })
  }

  #end(resource: string): EndTurn {
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const next = this.#waiting.get(resource)?.shift()
      if (next) next.give(this.#end(resource))
      else this.#waiting.delete(resource)
    }
  }
}
