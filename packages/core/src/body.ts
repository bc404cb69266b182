import type { Readable } from 'node:stream'
import getRawBody from 'raw-body'
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
    if (stream.readableDidRead || stream.readableEnded) throw consumed()
    if (stream.destroyed) throw aborted()
    try {
      return await getRawBody(stream, { limit: limitBytes })
    } catch (error) {
      throw bodyErrorOf(error)
    }
  }
}

/** A reader over a WHATWG request. */
export function fetchBody(request: Request): BodyReader {
  return async ({ limitBytes, signal }) => {
    if (request.bodyUsed || request.body?.locked) throw consumed()
    const chunks: Uint8Array[] = []
    let length = 0
    const reader = request.body?.getReader()
    const cancel = () => void reader?.cancel().catch(() => {})
    signal.addEventListener('abort', cancel)
    try {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        length += part.value.byteLength
        if (length > limitBytes) {
          cancel()
          throw tooLarge()
        }
        chunks.push(part.value)
      }
    } catch (error) {
      throw error instanceof BodyError ? error : aborted()
    } finally {
      signal.removeEventListener('abort', cancel)
    }
    return Buffer.concat(chunks)
  }
}

function bodyErrorOf(error: unknown): unknown {
  switch ((error as { type?: unknown }).type) {
    case 'entity.too.large':
      return tooLarge()
    case 'stream.encoding.set':
    case 'stream.not.readable':
      return consumed()
    default:
      // What is left is the connection's: aborted, reset, closed.
      return aborted()
  }
}

const tooLarge = () => new BodyError('too-large', 'the body is over the limit')
const consumed = () => new BodyError('consumed', 'the body was read before')
const aborted = () => new BodyError('aborted', 'the sender went away in the middle of the body')
