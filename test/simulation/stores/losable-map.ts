/** A map that can lose its last changes, as when a replica that is behind takes over. */
export class LosableMap<Value> {
  readonly #values = new Map<string, Value>()
  readonly #changes: { atMs: number; key: string; before: Value | undefined }[] = []

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  /** Without a value, deletes the key. */
  set(key: string, value: Value | undefined, atMs: number): void {
    this.#changes.push({ atMs, key, before: this.#values.get(key) })
    this.#put(key, value)
  }

  entries(): [string, Value][] {
    return [...this.#values]
  }

  loseSince(sinceMs: number): void {
    for (let last = this.#changes.at(-1); last && last.atMs >= sinceMs; last = this.#changes.at(-1)) {
      this.#changes.pop()
      this.#put(last.key, last.before)
    }
  }

  #put(key: string, value: Value | undefined): void {
    if (value === undefined) this.#values.delete(key)
    else this.#values.set(key, value)
  }
}
