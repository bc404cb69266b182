import type { Readable } from 'node:stream'
import { types } from 'node:util'
import { readSafely } from '../base/application-calls.ts'
import { BodyError } from '../base/errors.ts'
import { aborted, type BodyReader, consumed, givenBody, hasBegun, nodeBody } from './body.ts'

/**
 * Returns a body reader for adapters. If an earlier reader has stored the bytes, the reader returns these bytes. If no
 * bytes are stored, the reader reads the stream. The reader never serializes a parsed object again, because the result
 * can differ from the signed bytes.
 * @param stream The request's body
 * @param places Objects whose `rawBody` or `body` can contain the body, as bytes or as text
 * @param fix The advice in the log for a body that other code has read without storing its bytes
 */
export function requestBody(stream: Readable, places: readonly object[], fix: string): BodyReader {
  return async (limits) => {
    const given = keptBytes(places, stream)
    // If the stream is unread, an empty value is only a default: `decorateRequest('rawBody', '')`.
    if (given && (given.byteLength > 0 || hasBegun(stream))) return givenBody(given)(limits)
    if (!hasBegun(stream)) {
      return nodeBody(stream)(limits).catch((error) => {
        throw BodyError.is(error) && error.reason === 'consumed' ? consumed(fix) : error
      })
    }
    // Another reader reads the stream. The other reader can store the bytes after the end of the body.
    const wasBeingRead = isBeingRead(stream)
    if (wasBeingRead) await endOfReading(stream, limits.signal)
    const kept = keptBytes(places, stream)
    if (kept) return givenBody(kept)(limits)
    throw wasBeingRead && stream.destroyed && !stream.readableEnded ? aborted() : consumed(fix)
  }
}

function keptBytes(places: readonly object[], stream: Readable): Uint8Array | undefined {
  for (const name of ['rawBody', 'body']) {
    for (const place of places) {
      const bytes = bytesOf(place, name, stream)
      if (bytes) return bytes
    }
  }
  return undefined
}

function bytesOf(place: object, name: string, stream: Readable): Uint8Array | undefined {
  // Some hosts parse the body when the property is read, and throw if the body is malformed.
  const value: unknown = readSafely(() => Reflect.get(place, name))
  if (types.isUint8Array(value)) return value
  if (typeof value !== 'string') return undefined
  const bytes = Buffer.from(value)
  // If the text is not UTF-8 (it can be base64, for example), its length differs from the body's length.
  return value === '' || readSafely(() => hasDeclaredLength(bytes, stream)) ? bytes : undefined
}

function hasDeclaredLength({ byteLength }: Uint8Array, stream: Readable): boolean {
  const headers: unknown = Reflect.get(stream, 'headers')
  const declared: unknown = Object(headers)['content-length']
  return declared === undefined || Number(declared) === byteLength
}

function isBeingRead(stream: Readable): boolean {
  if (stream.readableEnded || stream.destroyed) return false
  return stream.readableFlowing === true || stream.listenerCount('readable') > 0
}

const endEvents = ['end', 'close', 'error', 'pause'] as const

function endOfReading(stream: Readable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      // The other reader can store the bytes a moment later, because it gets the same event.
      setImmediate(() => {
        if (isBeingRead(stream) && !signal.aborted) return
        for (const event of endEvents) stream.off(event, check)
        signal.removeEventListener('abort', check)
        resolve()
      })
    }
    for (const event of endEvents) stream.on(event, check)
    signal.addEventListener('abort', check)
    check()
  })
}
