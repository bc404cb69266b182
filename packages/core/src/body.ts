import type { Readable } from 'node:stream'
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
  return ({ limitBytes }) =>
    new Promise((resolve, reject) => {
      if (stream.readableDidRead || stream.readableEnded || stream.readableEncoding) return reject(consumed())
      if (stream.destroyed) return reject(aborted())
      const body = new GatheredBody(limitBytes)
      const take = (piece: unknown) => {
        try {
          body.add(piece)
        } catch (error) {
          leave()
          // What else comes is not read. The stream lives on: the reply goes over its connection.
          stream.pause()
          reject(error)
        }
      }
      const end = () => {
        leave()
        resolve(body.bytes)
      }
      const breakOff = () => {
        leave()
        reject(aborted())
      }
      const leave = () => {
        stream.off('data', take).off('end', end).off('close', breakOff).off('error', breakOff)
      }
      stream.on('end', end).on('close', breakOff).on('error', breakOff).on('data', take)
    })
}

/** A reader over a WHATWG request. */
export function fetchBody(request: Request): BodyReader {
  return async ({ limitBytes, signal }) => {
    if (request.bodyUsed || request.body?.locked) throw consumed()
    const body = new GatheredBody(limitBytes)
    const reader = request.body?.getReader()
    const cancel = () => void reader?.cancel().catch(() => {})
    signal.addEventListener('abort', cancel)
    try {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        body.add(part.value)
      }
    } catch (error) {
      cancel()
      throw error instanceof BodyError ? error : aborted()
    } finally {
      signal.removeEventListener('abort', cancel)
    }
    return body.bytes
  }
}

const startBytes = 16_384

/**
 * The pieces of a body, copied together as they come. Kept one by one, a body in pieces of one byte, which anybody may
 * send, would take two hundred times its size.
 */
class GatheredBody {
  readonly #limitBytes: number
  #buffer = Buffer.alloc(0)
  #length = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** @throws BodyError when it is over the limit, or no bytes: somebody has decoded or parsed it */
  add(piece: unknown): void {
    // Text is what a stream gives that a hook of the host has made out of a string.
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece
    if (!(bytes instanceof Uint8Array)) throw consumed()
    const length = this.#length + bytes.byteLength
    if (length > this.#limitBytes) throw tooLarge()
    if (length > this.#buffer.byteLength) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.byteLength, startBytes))
      this.#buffer.copy(grown, 0, 0, this.#length)
      this.#buffer = grown
    }
    this.#buffer.set(bytes, this.#length)
    this.#length = length
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }
}

const tooLarge = () => new BodyError('too-large', 'the body is over the limit')
const consumed = () => new BodyError('consumed', 'the body was read before')
const aborted = () => new BodyError('aborted', 'the sender went away in the middle of the body')
