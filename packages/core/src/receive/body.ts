import { Readable, Transform, type TransformCallback } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import getRawBody from '#raw-body'
import { BodyError } from '../base/errors.ts'
import { resetAfterReply } from './http2-reset.ts'

export interface BodyLimits {
  limitBytes: number
  /** When the receiver no longer waits for the body, this signal aborts. */
  signal: AbortSignal
}

/**
 * Reads a request's body, byte for byte as it was sent.
 * @throws BodyError if the body is too large or was read before, or the connection closed before the end of the body
 */
export type BodyReader = (limits: BodyLimits) => Promise<Uint8Array>

/** Returns a body reader for bytes that you have already read. */
export function givenBody(bytes: Uint8Array): BodyReader {
  return async ({ limitBytes }) => {
    if (bytes.byteLength > limitBytes) throw tooLarge()
    return bytes
  }
}

/**
 * Returns a body reader for an unread Node request. The reader stops at the limit. If the stream was read before, the
 * reader immediately throws a BodyError. Over HTTP/2, the reader cancels the unread rest of a body after your reply.
 */
export function nodeBody(stream: Readable): BodyReader {
  return async (limits) => {
    if (hasBegun(stream) || stream.readableEnded) throw consumed()
    if (stream.destroyed) throw aborted()
    const lengthBytes = declaredBytes(stream)
    const isShort = lengthBytes <= Math.min(shortBytes, limits.limitBytes)
    try {
      return await (isShort ? readShort(stream, lengthBytes) : readJoined(stream, limits))
    } catch (error) {
      resetAfterReply(stream)
      // All other errors are errors of the connection: aborted, reset, closed.
      throw error instanceof BodyError ? error : aborted()
    }
  }
}

/**
 * The maximum length of a body whose pieces are not joined. In one-byte pieces, each byte takes 255 bytes, so such a body
 * takes at most about as much memory as a body of the default limit.
 */
const shortBytes = 4096

/**
 * Returns the length in a request's header. Without a header, or for a stream that is not a request, returns `NaN`. A
 * stream in object mode is not a request: its pieces can be texts or parsed objects.
 */
function declaredBytes(stream: Readable): number {
  if (!('headers' in stream) || stream.readableObjectMode) return Number.NaN
  return Number(Object(stream.headers)['content-length'])
}

/** Reads a short body. After the deadline, reads the rest of the body into nothing. */
function readShort(stream: Readable, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // raw-body does not settle if the connection closes without an error.
    const breakOff = () => void (stream.readableEnded || reject(aborted()))
    // Never remove the listeners, because an `error` event without a listener ends the process.
    stream.on('close', breakOff).on('error', breakOff)
    // The limit protects against a stream that is longer than it declares.
    getRawBody(stream, { length, limit: length }).then(resolve, reject)
  })
}

async function readJoined(stream: Readable, { limitBytes, signal }: BodyLimits): Promise<Buffer> {
  const joined = new JoinedPieces(limitBytes)
  const breakOff = () => void (stream.readableEnded || joined.destroy(aborted()))
  // Never remove the listeners, because an `error` event without a listener ends the process.
  stream.on('close', breakOff).on('error', breakOff)
  joined.on('error', () => {})
  signal.addEventListener('abort', breakOff)
  try {
    return await getRawBody(stream.pipe(joined))
  } finally {
    signal.removeEventListener('abort', breakOff)
    // The reader does not read the rest of the body. The stream is not destroyed, because the reply uses its
    // connection.
    stream.unpipe(joined)
  }
}

/** Whether other code has read from the stream, or has set its encoding. */
export function hasBegun(stream: Readable): boolean {
  return Boolean(stream.readableDidRead || stream.readableEncoding)
}

/** Returns a body reader for a WHATWG request. */
export function fetchBody(request: Request): BodyReader {
  return async (limits) => {
    if (request.bodyUsed || request.body?.locked) throw consumed(readFetchFirst)
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

const readFetchFirst =
  'Call `receiver.fetch` before other code reads the request, or pass it a `request.clone()` made earlier'
const readNodeFirst = 'Call `receive` before other code reads the request, or pass the bytes as they arrived'

const tooLarge = () => new BodyError('too-large', 'the body is over the limit')
export const consumed = (fix = readNodeFirst) => new BodyError('consumed', 'the body was read before', fix)
export const aborted = () => new BodyError('aborted', 'the connection closed before the end of the body')

const joinedBytes = 4096

/**
 * Joins small pieces of a body into larger pieces. raw-body stores each piece. A body in one-byte pieces would
 * therefore need two hundred times its size in memory. Converts text from a host's hook to bytes. A parsed object
 * causes an error.
 */
class JoinedPieces extends Transform {
  #joined = Buffer.allocUnsafe(joinedBytes)
  #length = 0
  #leftBytes: number

  constructor(limitBytes: number) {
    super({ writableObjectMode: true })
    this.#leftBytes = limitBytes
  }

  override _transform(piece: unknown, _encoding: string, done: TransformCallback): void {
    done(this.#add(typeof piece === 'string' ? Buffer.from(piece) : piece))
  }

  /** Adds a piece. If the piece is a parsed object, or the body exceeds the limit, returns an error. */
  #add(bytes: unknown): BodyError | undefined {
    if (!(bytes instanceof Uint8Array)) return new BodyError('consumed', 'the body was parsed before')
    this.#leftBytes -= bytes.byteLength
    if (this.#leftBytes < 0) return tooLarge()
    if (this.#length + bytes.byteLength > joinedBytes) this.#pushJoined()
    if (bytes.byteLength > joinedBytes) this.push(bytes)
    else {
      this.#joined.set(bytes, this.#length)
      this.#length += bytes.byteLength
    }
    return undefined
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
