import type { Randomness } from '../randomness.ts'

export interface IdsSnapshot {
  prefix: string
  count: number
}

/** Ids in the form of Scalekit's, such as `org_62283166000000002`: the seed's digits, then a number of their own. */
export class Ids {
  readonly #prefix: string
  #count: number

  constructor(randomness: Randomness, from?: IdsSnapshot) {
    this.#prefix = from?.prefix ?? String(10_000_000 + randomness.below(89_999_999))
    this.#count = from?.count ?? 0
  }

  next(kind: string): string {
    this.#count++
    return `${kind}_${this.#prefix}${String(this.#count).padStart(9, '0')}`
  }

  export(): IdsSnapshot {
    return { prefix: this.#prefix, count: this.#count }
  }
}
