import { KeyTable } from './key-table.ts'

/** Writes states as rows of bytes, and reads them back exactly. A packing can learn from the states of one map. */
export interface Packing<State> {
  readonly bytesPerRow: number
  /** Writes the state into the row that begins at the offset `at`. If the state does not fit, returns `false`. */
  pack(rows: DataView, at: number, state: State): boolean
  unpack(rows: DataView, at: number): State
}

const firstRows = 800

/**
 * A map from strings to states. Keys and states are bytes outside of the heap, so the garbage collector does not visit
 * them. If a key or a state does not fit, the map stores it as it is. So the map returns every state exactly.
 */
export class PackedMap<State extends object> {
  readonly #createPacking: () => Packing<State>
  #packing: Packing<State>
  readonly #keys = new KeyTable()
  #rows: DataView<ArrayBuffer>
  /** The states that do not fit into their row. */
  readonly #largeStates = new Map<number, State>()
  /** The states of keys that do not fit into the table. */
  readonly #otherKeys = new Map<string, State>()

  constructor(createPacking: () => Packing<State>) {
    this.#createPacking = createPacking
    this.#packing = createPacking()
    this.#rows = new DataView(new ArrayBuffer(firstRows * this.#packing.bytesPerRow))
  }

  /** The number of keys that were added since the last `clear`. Deleted keys count too. */
  get addedKeys(): number {
    return this.#keys.rowCount + this.#otherKeys.size
  }

  has(key: string): boolean {
    return this.#keys.rowOf(key) !== undefined || this.#otherKeys.has(key)
  }

  get(key: string): State | undefined {
    const row = this.#keys.rowOf(key)
    if (row === undefined) return this.#otherKeys.size === 0 ? undefined : this.#otherKeys.get(key)
    const large = this.#largeStates.size === 0 ? undefined : this.#largeStates.get(row)
    return large ?? this.#packing.unpack(this.#rows, row * this.#packing.bytesPerRow)
  }

  set(key: string, state: State): void {
    const row = this.#keys.add(key)
    if (row === undefined) this.#otherKeys.set(key, state)
    else if (this.#pack(row, state)) this.#largeStates.delete(row)
    else this.#largeStates.set(row, state)
  }

  delete(key: string): void {
    const row = this.#keys.delete(key)
    if (row === undefined) this.#otherKeys.delete(key)
    else this.#largeStates.delete(row)
  }

  /** Removes all entries. Their memory remains, for the next entries. */
  clear(): void {
    this.#keys.clear()
    this.#largeStates.clear()
    this.#otherKeys.clear()
    this.#packing = this.#createPacking()
  }

  #pack(row: number, state: State): boolean {
    const { bytesPerRow } = this.#packing
    const at = row * bytesPerRow
    if (at + bytesPerRow > this.#rows.byteLength) {
      this.#rows = new DataView(this.#rows.buffer.transfer(2 * this.#rows.byteLength))
    }
    return this.#packing.pack(this.#rows, at, state)
  }
}
