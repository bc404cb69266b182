import type { Timer } from '@scalekit-scim/core'
import { Heap } from 'heap-js'

interface Entry {
  readonly atMs: number
  /** Timers with the same time fire in the order in which they were set. */
  readonly order: number
  readonly callback: () => void
}

/**
 * Timers, ordered by their time. A simulator may have one for each of 100,000 retries. A cancelled timer stays in the
 * heap, because its removal would need a search.
 */
export class TimerQueue {
  readonly #heap = new Heap<Entry>((one, other) => one.atMs - other.atMs || one.order - other.order)
  readonly #pending = new Set<Entry>()
  #count = 0

  add(atMs: number, callback: () => void): Timer {
    const entry: Entry = { atMs, order: this.#count++, callback }
    this.#pending.add(entry)
    this.#heap.push(entry)
    // The heap must not fill with cancelled timers.
    if (this.#heap.length > 2 * this.#pending.size + 1000) this.#heap.init([...this.#pending])
    return { cancel: () => void this.#pending.delete(entry) }
  }

  /** The time of the next timer. */
  get nextMs(): number | undefined {
    return this.#next?.atMs
  }

  /** Fires all timers that are due by `byMs`. A timer that is set by one of them also fires, if it is due by then. */
  fire(byMs: number): void {
    for (let next = this.#next; next && next.atMs <= byMs; next = this.#next) {
      this.#pending.delete(next)
      next.callback()
    }
  }

  clear(): void {
    this.#pending.clear()
  }

  get #next(): Entry | undefined {
    let first = this.#heap.peek()
    while (first && !this.#pending.has(first)) {
      this.#heap.pop()
      first = this.#heap.peek()
    }
    return first
  }
}
