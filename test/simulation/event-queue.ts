/** A process. If it has died, its events do not happen. If it is paused, it keeps them until it continues. */
export interface EventOwner {
  readonly isAlive: boolean
  readonly isPaused: boolean
  keep(event: ScheduledEvent): void
}

/** Something that happens at a moment of the virtual time. */
export interface ScheduledEvent {
  atMs: number
  /** Decides between events of the same moment. */
  readonly order: number
  readonly run: () => void
  readonly owner: EventOwner | undefined
  readonly isTimer: boolean
  isCancelled: boolean
}

/** The events of a history, the earliest first: a binary heap. */
export class EventQueue {
  readonly #heap: ScheduledEvent[] = []

  get first(): ScheduledEvent | undefined {
    return this.#heap[0]
  }

  add(event: ScheduledEvent): void {
    const heap = this.#heap
    let index = heap.push(event) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = heap[above]
      if (!parent || !isBefore(event, parent)) break
      heap[index] = parent
      index = above
    }
    heap[index] = event
  }

  takeFirst(): ScheduledEvent | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (last && heap.length > 0) this.#sink(last)
    return first
  }

  #sink(event: ScheduledEvent): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [heap[left], heap[left + 1]]
      const child = a && b && isBefore(b, a) ? b : a
      if (!child || !isBefore(child, event)) break
      heap[index] = child
      index = child === a ? left : left + 1
    }
    heap[index] = event
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
