/**
 * Callbacks, called in the order in which they were added. The errors of a listener are uncaught, as in an
 * EventTarget: they do not affect the caller and the other listeners.
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
