import type { Timer } from '@scalekit-scim/core'
import { Heap } from 'heap-js'

interface Entry {
  readonly atMs: number
  /** Timers with the same time fire in the order in which they were set. */
  readonly order: number
  /** Absent if the timer was cancelled or has fired. */
  callback: (() => void) | undefined
}

/**
 * Timers, ordered by their time. A simulator may have one for each of 100,000 retries. A cancelled timer stays in the
 * heap, because its removal would need a search.
 */
export class TimerQueue {
  #heap = emptyHeap()
  #count = 0
  #cancelled = 0

  add(atMs: number, callback: () => void): Timer {
    const entry: Entry = { atMs, order: this.#count++, callback }
    this.#heap.push(entry)
    return { cancel: () => this.#cancel(entry) }
  }

  /** The time of the next timer. */
  get nextMs(): number | undefined {
    for (let first = this.#heap.peek(); first; first = this.#heap.peek()) {
      if (first.callback) return first.atMs
      this.#cancelled--
      this.#heap.pop()
    }
    return undefined
  }

  /** Fires all timers that are due by `byMs`. A timer that is set by one of them also fires, if it is due by then. */
  fire(byMs: number): void {
    for (let nextMs = this.nextMs; nextMs !== undefined && nextMs <= byMs; nextMs = this.nextMs) {
      const entry = this.#heap.pop()
      const callback = entry?.callback
      // The entry has left the heap, so a later cancel must not count it.
      if (entry) entry.callback = undefined
      callback?.()
    }
  }

  clear(): void {
    this.#heap = emptyHeap()
    this.#cancelled = 0
  }

  #cancel(entry: Entry): void {
    if (!entry.callback) return
    entry.callback = undefined
    this.#cancelled++
    // The heap must not fill with cancelled timers.
    if (this.#cancelled > 1000 && this.#cancelled > this.#heap.length / 2) {
      const pending = this.#heap.toArray().filter(({ callback }) => callback)
      this.#heap = emptyHeap()
      this.#heap.init(pending)
      this.#cancelled = 0
    }
  }
}

function emptyHeap(): Heap<Entry> {
  return new Heap<Entry>((one, other) => one.atMs - other.atMs || one.order - other.order)
}
