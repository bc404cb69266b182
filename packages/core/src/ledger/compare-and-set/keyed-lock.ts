/** For each key, runs one call at a time, in the order of the calls. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>()

  /**
   * Waits for the keys one after the other. So every caller must pass its keys in the same order.
   * @param settled Called when the work has ended. The key's next call waits for the returned promise. The caller does
   * not wait.
   */
  async hold<T>(
    keys: readonly string[],
    work: () => Promise<T>,
    settled: (key: string) => Promise<unknown> | undefined,
  ): Promise<T> {
    const [key, ...rest] = keys
    if (key === undefined) return work()
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(() => this.hold(rest, work, settled))
    const tail = mine.then(
      () => settled(key),
      () => settled(key),
    )
    this.#tails.set(key, tail)
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    return mine
  }
}
