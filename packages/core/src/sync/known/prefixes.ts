/**
 * The prefixes of ids, up to and including the first underscore, such as `diruser_`. The prefix of an id without an
 * underscore is empty.
 */
export class Prefixes implements Iterable<string> {
  readonly #all = new Set<string>()
  #last = ''

  add(id: string): void {
    // Nearly all ids have the same prefix as the previous id.
    if (this.#last !== '' && id.startsWith(this.#last)) return
    this.#last = prefixOf(id)
    this.#all.add(this.#last)
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#all.values()
  }
}

export function prefixOf(id: string): string {
  return id.slice(0, id.indexOf('_') + 1)
}
