import { Transform, type TransformCallback } from 'node:stream'
import { BodyError } from '../base/errors.ts'

const joinedBytes = 4096

/**
 * Joins small pieces of a body into larger ones. raw-body keeps each piece. So a body in one-byte pieces would need two
 * hundred times its size in memory. Text from a host's hook is converted to bytes. A parsed object causes an error.
 */
export class JoinedPieces extends Transform {
  #joined = Buffer.allocUnsafe(joinedBytes)
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
    if (this.#length + bytes.byteLength > joinedBytes) this.#pushJoined()
    if (bytes.byteLength > joinedBytes) this.push(bytes)
    else {
      this.#joined.set(bytes, this.#length)
      this.#length += bytes.byteLength
    }
    this.#leftBytes -= bytes.byteLength
    // The body is over the limit. Report it now: the sender may wait for the reply before it sends more.
    if (this.#leftBytes < 0) this.#pushJoined()
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#pushJoined()
    done()
  }

  #pushJoined(): void {
    if (this.#length === 0) return
    this.push(this.#joined.subarray(0, this.#length))
    this.#joined = Buffer.allocUnsafe(joinedBytes)
    this.#length = 0
  }
}
