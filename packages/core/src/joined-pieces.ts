import { Transform, type TransformCallback } from 'node:stream'
import { BodyError } from './errors.ts'

const joinedBytes = 4096

/**
 * The pieces of a body, in larger ones. raw-body keeps each by itself, and one byte a piece, which anybody may send,
 * would take two hundred times the body's size. Nor can it do with what a hook of the host may have made of them.
 */
export class JoinedPieces extends Transform {
  #held = Buffer.allocUnsafe(joinedBytes)
  #length = 0
  #leftBytes: number

  constructor(limitBytes: number) {
    super({ writableObjectMode: true })
    this.#leftBytes = limitBytes
  }

  override _transform(piece: unknown, _encoding: string, done: TransformCallback): void {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    if (!(bytes instanceof Uint8Array)) {
      done(new BodyError('consumed', 'the body was parsed before'))
      return
    }
    if (this.#length + bytes.byteLength > joinedBytes) this.#give()
    if (bytes.byteLength > joinedBytes) this.push(bytes)
    else {
      this.#held.set(bytes, this.#length)
      this.#length += bytes.byteLength
    }
    this.#leftBytes -= bytes.byteLength
    // At once: who is over the limit may wait for the answer before anything else comes.
    if (this.#leftBytes < 0) this.#give()
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#give()
    done()
  }

  #give(): void {
    if (this.#length === 0) return
    this.push(this.#held.subarray(0, this.#length))
    this.#held = Buffer.allocUnsafe(joinedBytes)
    this.#length = 0
  }
}
