/**
 * A list of callbacks. Calls them in the order in which they were added. An error in a listener becomes an uncaught
 * exception, as in an EventTarget. The error does not affect the caller or the other listeners.
 */
export class Listeners<Arguments extends unknown[] = []> {
  readonly #listeners = new Set<(...values: Arguments) => void>()

  /** Returns a function that removes the listener. */
  add(listener: (...values: Arguments) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  call(...values: Arguments): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(...values)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
