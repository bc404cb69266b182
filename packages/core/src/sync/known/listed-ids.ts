import { type KnownRecords, prefixOf } from './known-records.ts'

/** The ids that one walk listed. Each known id takes one bit. All other ids are in a set. */
export class ListedIds {
  readonly #known: KnownRecords
  readonly #bits: Uint8Array
  readonly #unknown = new Set<string>()
  /** The prefixes of the ids. */
  readonly prefixes = new Set<string>()
  #knownCount = 0

  constructor(known: KnownRecords) {
    this.#known = known
    this.#bits = new Uint8Array(Math.ceil(known.size / 8))
  }

  /** The number of different ids. */
  get unique(): number {
    return this.#knownCount + this.#unknown.size
  }

  add(id: string): void {
    this.prefixes.add(prefixOf(id))
    const index = this.#known.indexOf(id)
    if (index === undefined) {
      this.#unknown.add(id)
      return
    }
    if (this.#isListed(index)) return
    this.#bits[index >> 3] = (this.#bits[index >> 3] ?? 0) | (1 << (index & 7))
    this.#knownCount++
  }

  has(id: string): boolean {
    const index = this.#known.indexOf(id)
    return index === undefined ? this.#unknown.has(id) : this.#isListed(index)
  }

  /** Whether this walk listed every id that an earlier walk listed. */
  covers(earlier: ListedIds): boolean {
    return (
      earlier.#bits.every((bits, at) => (bits & ~(this.#bits[at] ?? 0)) === 0) &&
      [...earlier.#unknown].every((id) => this.#unknown.has(id))
    )
  }

  /** The indexes of known records that neither this walk nor the other walks listed. */
  missing(...others: readonly ListedIds[]): number[] {
    const missing: number[] = []
    for (let index = 0; index < this.#known.size; index++) {
      if (!this.#isListed(index) && !others.some((other) => other.#isListed(index))) missing.push(index)
    }
    return missing
  }

  #isListed(index: number): boolean {
    return ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
  }
}
