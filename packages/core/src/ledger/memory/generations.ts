import { PackedMap, type Packing } from './packed-map.ts'

/**
 * A map with a bounded size and a constant cost for each call. When the young generation is full, it becomes the old
 * generation. The map drops the entries of the previous old generation, and uses its memory again. So the map contains
 * at least the newest `generationSize` entries, and at most twice as many.
 */
export class Generations<State extends object> {
  readonly #generationSize: number
  #young: PackedMap<State>
  #old: PackedMap<State>

  constructor(generationSize: number, createPacking: () => Packing<State>) {
    this.#generationSize = generationSize
    this.#young = new PackedMap(createPacking)
    this.#old = new PackedMap(createPacking)
  }

  get(key: string): State | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  set(key: string, state: State): void {
    if (this.#young.addedKeys >= this.#generationSize && !this.#young.has(key)) {
      const full = this.#young
      this.#young = this.#old
      this.#old = full
      this.#young.clear()
    }
    this.#young.set(key, state)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
