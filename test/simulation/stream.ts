import { Chance } from '../support/deletion-histories/chance.ts'

/**
 * Seeded choices. Streams with different names are independent. So if a shrinker leaves out one event, the choices of
 * the other events stay the same.
 */
export class Stream extends Chance {
  readonly #seed: number

  constructor(seed: number) {
    super(seed)
    this.#seed = seed
  }

  fork(...names: (string | number)[]): Stream {
    return new Stream(seedOf(this.#seed, ...names))
  }

  /** A number from `min` to `max`, not rounded. */
  real(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  uuid(): string {
    const digits = Array.from({ length: 32 }, () => this.below(16).toString(16)).join('')
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
}

/** A seed from several parts (FNV-1a, then mixed). */
export function seedOf(...parts: (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const part of parts) {
    for (const char of `${part}\u001f`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return (hash ^ (hash >>> 16)) >>> 0
}
