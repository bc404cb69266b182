/** Numbers ids from 0, in the order of the calls of `add`. */
export class IdTable {
  readonly #indexes = new Map<string, number>()
  readonly #ids: string[] = []

  get size(): number {
    return this.#ids.length
  }

  indexOf(id: string): number | undefined {
    return this.#indexes.get(id)
  }

  /**
   * @returns the id's index. On a second call with an id, returns the same index
   */
  add(id: string): number {
    const present = this.#indexes.get(id)
    if (present !== undefined) return present
    const index = this.#ids.push(id) - 1
    this.#indexes.set(id, index)
    return index
  }

  at(index: number): string {
    return this.#ids[index] ?? ''
  }
}
