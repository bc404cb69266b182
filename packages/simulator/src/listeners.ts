/**
 * A list of callbacks. `call` runs the callbacks in the order of their addition. An error in a listener becomes an
 * uncaught exception, as in an EventTarget. The caller and the other listeners continue.
 */
export class Listeners<Arguments extends unknown[] = []> {
  readonly #listeners = new Set<(...values: Arguments) => void>()

  /** Adds a listener. Returns a function that removes the listener. */
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
