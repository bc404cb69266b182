interface Entry {
  readonly atMs: number
  /** Timers of one time fire in the order in which they were set. */
  readonly order: number
  readonly callback: () => void
  isCancelled: boolean
}

/** Timers by their time, as a binary heap: a simulator may hold one for each of 100 000 retries. */
export class TimerQueue {
  #heap: Entry[] = []
  #orders = 0
  #cancelled = 0

  /** Gives what takes the timer out again. */
  add(atMs: number, callback: () => void): () => void {
    const entry: Entry = { atMs, order: this.#orders++, callback, isCancelled: false }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return () => this.#cancel(entry)
  }

  /** When the next timer is due. */
  get nextMs(): number | undefined {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      if (!first.isCancelled) return first.atMs
      this.#cancelled--
      this.#removeFirst()
    }
    return undefined
  }

  /** The callback of the next timer, taken out, when it is due by then. */
  take(byMs: number): (() => void) | undefined {
    const nextMs = this.nextMs
    const first = this.#heap[0]
    if (nextMs === undefined || nextMs > byMs || !first) return undefined
    this.#removeFirst()
    // One that has fired is out of the heap: cancelling it must not count as one that is still in.
    first.isCancelled = true
    return first.callback
  }

  clear(): void {
    this.#heap = []
    this.#cancelled = 0
  }

  #cancel(entry: Entry): void {
    if (entry.isCancelled) return
    entry.isCancelled = true
    this.#cancelled++
    // Whoever sets and cancels time and again must not leave a heap of what is over.
    if (this.#cancelled > 1000 && this.#cancelled > this.#heap.length / 2) this.#compact()
  }

  #compact(): void {
    this.#heap = this.#heap.filter((entry) => !entry.isCancelled).sort(byTime)
    this.#cancelled = 0
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (!last || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfBefore(index, parent)) return
      index = parent
    }
  }

  #sink(index: number): void {
    for (;;) {
      const left = 2 * index + 1
      const right = left + 1
      const child = this.#isBefore(right, left) ? right : left
      if (!this.#swapIfBefore(child, index)) return
      index = child
    }
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    if (!this.#isBefore(lower, upper)) return false
    const [low, up] = [this.#heap[lower], this.#heap[upper]]
    if (!low || !up) return false
    this.#heap[lower] = up
    this.#heap[upper] = low
    return true
  }

  #isBefore(index: number, other: number): boolean {
    const [one, two] = [this.#heap[index], this.#heap[other]]
    return one !== undefined && two !== undefined && byTime(one, two) < 0
  }
}

function byTime(one: Entry, two: Entry): number {
  return one.atMs - two.atMs || one.order - two.order
}
