/** Writes states as rows of bytes, and reads them back exactly. A packing can learn from the states of one map. */
export interface Packing<State> {
  readonly bytesPerRow: number
  /** Writes the state into the row that begins at the offset `at`. If the state does not fit, returns `false`. */
  pack(rows: DataView, at: number, state: State): boolean
  unpack(rows: DataView, at: number): State
}

/** After seven doublings, a map has 102,400 rows, slightly more than a generation of the memory store. */
const firstRows = 800

/**
 * A map from strings to states. A row takes a fraction of an object's memory, and the garbage collector does not visit
 * the rows. If a state does not fit into a row, the map stores the object itself. So the map returns every state
 * exactly.
 */
export class PackedMap<State extends object> {
  readonly #createPacking: () => Packing<State>
  #packing: Packing<State>
  /** The number of the row of each key, or the state itself. */
  readonly #entries = new Map<string, number | State>()
  #freeRows: number[] = []
  #usedRows = 0
  #rows: DataView<ArrayBuffer>

  constructor(createPacking: () => Packing<State>) {
    this.#createPacking = createPacking
    this.#packing = createPacking()
    this.#rows = new DataView(new ArrayBuffer(firstRows * this.#packing.bytesPerRow))
  }

  get size(): number {
    return this.#entries.size
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  get(key: string): State | undefined {
    const entry = this.#entries.get(key)
    if (typeof entry !== 'number') return entry
    return this.#packing.unpack(this.#rows, entry * this.#packing.bytesPerRow)
  }

  set(key: string, state: State): void {
    const present = this.#entries.get(key)
    const row = typeof present === 'number' ? present : this.#takeRow()
    const isPacked = this.#packing.pack(this.#rows, row * this.#packing.bytesPerRow, state)
    if (!isPacked) this.#freeRows.push(row)
    const entry = isPacked ? row : state
    if (entry !== present) this.#entries.set(present === undefined ? compactCopy(key) : key, entry)
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (typeof entry === 'number') this.#freeRows.push(entry)
    this.#entries.delete(key)
  }

  /** Removes all entries. The memory of the rows remains, for the next entries. */
  clear(): void {
    this.#entries.clear()
    this.#freeRows = []
    this.#usedRows = 0
    this.#packing = this.#createPacking()
  }

  #takeRow(): number {
    const free = this.#freeRows.pop()
    if (free !== undefined) return free
    const { buffer, byteLength } = this.#rows
    const row = this.#usedRows++
    if (this.#usedRows * this.#packing.bytesPerRow > byteLength) {
      this.#rows = new DataView(buffer.transfer(2 * byteLength))
    }
    return row
  }
}

/**
 * V8 stores a joined string as a tree of its parts, and a substring as a reference to the whole string. Such a key
 * takes three times the memory, or keeps a whole body alive. `Array.prototype.join` always writes a new string.
 */
function compactCopy(key: string): string {
  return [key.slice(0, 1), key.slice(1)].join('')
}
