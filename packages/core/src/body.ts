import { Readable, Transform, type TransformCallback } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import getRawBody from '#raw-body'
import { BodyError } from './errors.ts'

export interface BodyLimits {
  limitBytes: number
  /** Aborts when the body is no longer waited for. */
  signal: AbortSignal
}

/**
 * Reads a request's body, byte for byte as it was sent.
 * @throws BodyError when it is too large, was read before, or its sender went away
 */
export type BodyReader = (limits: BodyLimits) => Promise<Uint8Array>

/** A reader over bytes that somebody else has read already. */
export function givenBody(bytes: Uint8Array): BodyReader {
  return async ({ limitBytes }) => {
    if (bytes.byteLength > limitBytes) throw tooLarge()
    return bytes
  }
}

/** A reader over a Node request that nobody has read yet. Stops at the limit; never waits on a spent stream. */
export function nodeBody(stream: Readable): BodyReader {
  return async ({ limitBytes }) => {
    if (stream.readableDidRead || stream.readableEnded || stream.readableEncoding) throw consumed()
    if (stream.destroyed) throw aborted()
    const joined = new JoinedPieces(limitBytes)
    const breakOff = () => void (stream.readableEnded || joined.destroy(aborted()))
    // Both hear of errors as long as they are there: one that nobody hears ends the process.
    stream.on('close', breakOff).on('error', breakOff)
    joined.on('error', () => {})
    try {
      return await getRawBody(stream.pipe(joined), { limit: limitBytes })
    } catch (error) {
      throw bodyErrorOf(error)
    } finally {
      // What else comes is not read. The stream lives on: the reply goes over its connection.
      stream.unpipe(joined)
    }
  }
}

/** A reader over a WHATWG request. */
export function fetchBody(request: Request): BodyReader {
  return async (limits) => {
    if (request.bodyUsed || request.body?.locked) throw consumed()
    if (!request.body) return Buffer.alloc(0)
    const stream = Readable.fromWeb(request.body as ReadableStream)
    const leave = () => void stream.destroy()
    limits.signal.addEventListener('abort', leave)
    try {
      return await nodeBody(stream)(limits)
    } finally {
      limits.signal.removeEventListener('abort', leave)
      leave()
    }
  }
}

const joinedBytes = 4096

/**
 * The pieces of a body, in larger ones. raw-body keeps each by itself, and one byte a piece, which anybody may send,
 * would take two hundred times the body's size. Nor can it do with what a hook of the host may have made of them.
 */
class JoinedPieces extends Transform {
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
      done(consumed())
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

function bodyErrorOf(error: unknown): unknown {
  if (error instanceof BodyError) return error
  // What is left is the connection's: aborted, reset, closed.
  return (error as { type?: unknown }).type === 'entity.too.large' ? tooLarge() : aborted()
}

const tooLarge = () => new BodyError('too-large', 'the body is over the limit')
const consumed = () => new BodyError('consumed', 'the body was read before')
const aborted = () => new BodyError('aborted', 'the sender went away in the middle of the body')
