import { randomInt } from 'node:crypto'

const firstSlots = 1024
/** A slot that is free, or whose key was deleted. All other slots contain the number of a row, from 0. */
const free = -1
const deleted = -2
const longestKey = 0xff_ff
/** A different seed in each process, so that keys that collide in one process rarely collide in another. */
const seed = randomInt(2 ** 31)

/**
 * Gives each key a row number. The keys are bytes outside of the heap. A lookup compares the whole key, not only its
 * hash. The rows of deleted keys are not used again before `clear`.
 *
 *     slots   hash → row                 open addressing, at most half full
 *     rows    row  → hash, start, length
 *     bytes   the keys, one after another
 */
export class KeyTable {
  #slots = new Int32Array(firstSlots).fill(free)
  #hashes = new Int32Array(firstSlots / 2)
  #starts = new Uint32Array(firstSlots / 2)
  #lengths = new Uint16Array(firstSlots / 2)
  #bytes = Buffer.alloc(firstSlots * 16)
  #usedBytes = 0
  #rows = 0

  /** The number of rows, including the rows of deleted keys. */
  get rowCount(): number {
    return this.#rows
  }

  rowOf(key: string): number | undefined {
    const row = this.#slots[this.#slotOf(key, hashOf(key))] as number
    return row < 0 ? undefined : row
  }

  /** Returns the row of a key. A new key gets the next row. If the key cannot be stored, returns `undefined`. */
  add(key: string): number | undefined {
    const hash = hashOf(key)
    const slot = this.#slotOf(key, hash)
    const present = this.#slots[slot] as number
    if (present >= 0) return present
    if (key.length > longestKey || !isLatin1(key)) return undefined
    if (this.#rows === this.#hashes.length) {
      this.#grow()
      return this.add(key)
    }
    const row = this.#rows++
    this.#hashes[row] = hash
    this.#starts[row] = this.#usedBytes
    this.#lengths[row] = key.length
    this.#write(key)
    this.#slots[slot] = row
    return row
  }

  /** Returns the row of the deleted key. */
  delete(key: string): number | undefined {
    const slot = this.#slotOf(key, hashOf(key))
    const row = this.#slots[slot] as number
    if (row < 0) return undefined
    this.#slots[slot] = deleted
    return row
  }

  /** Removes all keys. Their memory remains, for the next keys. */
  clear(): void {
    this.#slots.fill(free)
    this.#usedBytes = 0
    this.#rows = 0
  }

  /** Returns the slot of a key. For an unknown key, returns the free slot at the end of its search. */
  #slotOf(key: string, hash: number): number {
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot] as number
      if (row === free || (row >= 0 && this.#hashes[row] === hash && this.#isKeyOf(row, key))) return slot
    }
  }

  #isKeyOf(row: number, key: string): boolean {
    const { length } = key
    if (this.#lengths[row] !== length) return false
    const start = this.#starts[row] as number
    for (let index = 0; index < length; index++) {
      if (this.#bytes[start + index] !== key.charCodeAt(index)) return false
    }
    return true
  }

  #write(key: string): void {
    const end = this.#usedBytes + key.length
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length))
      this.#bytes.copy(larger, 0, 0, this.#usedBytes)
      this.#bytes = larger
    }
    this.#bytes.write(key, this.#usedBytes, 'latin1')
    this.#usedBytes = end
  }

  /** Doubles the numbers of rows and slots. Keys that were deleted lose their slots. */
  #grow(): void {
    const kept = this.#slots.filter((row) => row >= 0)
    this.#hashes = grown(this.#hashes, new Int32Array(2 * this.#hashes.length))
    this.#starts = grown(this.#starts, new Uint32Array(2 * this.#starts.length))
    this.#lengths = grown(this.#lengths, new Uint16Array(2 * this.#lengths.length))
    this.#slots = new Int32Array(2 * this.#slots.length).fill(free)
    const mask = this.#slots.length - 1
    for (const row of kept) {
      let slot = (this.#hashes[row] as number) & mask
      while (this.#slots[slot] !== free) slot = (slot + 1) & mask
      this.#slots[slot] = row
    }
  }
}

function grown<Numbers extends Int32Array | Uint32Array | Uint16Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from)
  return to
}

/** FNV-1a over the characters of a key, with a last mix of its high bits, because a slot is chosen by the low bits. */
function hashOf(key: string): number {
  let hash = seed
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01_00_01_93)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d)
  return hash ^ (hash >>> 13)
}

function isLatin1(key: string): boolean {
  for (let index = 0; index < key.length; index++) if (key.charCodeAt(index) > 0xff) return false
  return true
}
