import type { Clock } from '../base/clock.ts'
import type { Delivery } from './delivery.ts'

/** A function that ends a turn. */
export type EndTurn = () => void

const noTurn: EndTurn = () => {}

interface Waiter {
  occurredAt: string
  settle(turn: EndTurn | undefined): void
}

/**
 * Queues the events of each resource, oldest first. In each process, only one event of each resource polls the ledger
 * at a time. Waiting events do not have a claim.
 */
export class Turns {
  readonly #clock: Clock
  /** The waiting events of each resource with a running event, oldest first. */
  readonly #waiting = new Map<string, Waiter[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Returns the resource's turn. If the deadline or the signal comes first, returns `undefined`. An event without a
   * resource gets its turn immediately. So does an event whose resource is free.
   */
  take(
    resource: string | undefined,
    { occurredAt = '', deadline }: Pick<Delivery, 'occurredAt' | 'deadline'>,
    signal: AbortSignal,
  ): EndTurn | Promise<EndTurn | undefined> {
    if (resource === undefined) return noTurn
    const waiting = this.#waiting.get(resource)
    if (!waiting) {
      this.#waiting.set(resource, [])
      return this.#turnOf(resource)
    }
    return new Promise((resolve) => {
      const settle = (turn: EndTurn | undefined) => {
        timer.cancel()
        signal.removeEventListener('abort', giveUp)
        resolve(turn)
      }
      const waiter: Waiter = { occurredAt, settle }
      const giveUp = () => {
        const index = waiting.indexOf(waiter)
        if (index >= 0) waiting.splice(index, 1)
        settle(undefined)
      }
      const timer = this.#clock.setTimeout(giveUp, deadline.leftMs)
      signal.addEventListener('abort', giveUp)
      const later = waiting.findIndex((other) => other.occurredAt > occurredAt)
      waiting.splice(later < 0 ? waiting.length : later, 0, waiter)
    })
  }

  /** The number of resources whose turn is taken. */
  get size(): number {
    return this.#waiting.size
  }

  #turnOf(resource: string): EndTurn {
    return () => {
      const next = this.#waiting.get(resource)?.shift()
      if (next) next.settle(this.#turnOf(resource))
      else this.#waiting.delete(resource)
    }
  }
}
