/** For each key, runs one call at a time, in the order of the calls. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** Waits for the keys one after the other. So every caller must pass its keys in the same order. */
  async hold<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    const [key, ...rest] = keys
    if (key === undefined) return work()
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(() => this.hold(rest, work))
    const tail = mine.catch(() => {})
    this.#tails.set(key, tail)
    try {
      return await mine
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
  }
}
