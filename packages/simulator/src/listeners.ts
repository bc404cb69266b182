/**
 * Who is told of something, in the order in which they came. What one of them throws is uncaught, as an EventTarget's
 * is: it is no fault of who tells, and no reason to leave out the others.
 */
export class Listeners<What extends unknown[] = []> {
  readonly #listeners = new Set<(...what: What) => void>()

  /** Gives what takes it out again. */
  add(listener: (...what: What) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  tell(...what: What): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(...what)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
