/** A source of random numbers. The same seed gives the same numbers. */
export interface Randomness {
  /** Returns a number, at least 0 and below 1. */
  next(): number
  /** Returns a whole number, at least 0 and below `limit`. */
  below(limit: number): number
  /** Returns `true` with the probability `share`. */
  chance(share: number): boolean
  /** Returns a separate source with a name, so that the numbers of one part do not depend on another part. */
  fork(name: string): Randomness
}

export function createRandomness(seed: number | string): Randomness {
  return from(hash(String(seed)))
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Returns letters and digits, for ids and secrets. */
export function randomText(randomness: Randomness, length: number): string {
  return Array.from({ length }, () => letters[randomness.below(letters.length)]).join('')
}

export function randomBytes(randomness: Randomness, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => randomness.below(256)))
}

/** Returns a signing secret. */
export function randomSecret(randomness: Randomness): string {
  return `whsec_${randomBytes(randomness, 24).toString('base64')}`
}

function from(state: number): Randomness {
  const origin = state
  const next = () => {
    state = (state + 0x9e3779b9) | 0
    return mix(state) / 2 ** 32
  }
  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    chance: (share) => next() < share,
    fork: (name) => from(hash(`${origin} ${name}`)),
  }
}

/** Mixes 32 bits. Each input bit changes about half of the output bits. */
function mix(bits: number): number {
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97)
  return (bits ^ (bits >>> 15)) >>> 0
}

/** Returns the FNV-1a hash of the text's UTF-16 units. */
function hash(text: string): number {
  let bits = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(bits)
}

/**
 * Returns `msg_` and 27 letters and digits. The id contains the time. Without the time, a restarted simulator with the
 * same seed would repeat ids, so an application would treat new messages as duplicates. The id also contains the
 * sequence number of the message, so ids are unique.
 */
export function messageId(createdAtMs: number, ordinal: number, randomness: Randomness): string {
  const time = createdAtMs.toString(36).padStart(9, '0')
  return `msg_${time}${ordinal.toString(36).padStart(6, '0')}${randomText(randomness, 12)}`
}
