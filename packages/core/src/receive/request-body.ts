import type { Readable } from 'node:stream'
import { types } from 'node:util'
import { BodyError } from '../base/errors.ts'
import { aborted, type BodyReader, consumed, givenBody, hasBegun, nodeBody } from './body.ts'

/**
 * A reader for adapters: the bytes that something in front has kept, otherwise those of the stream. Never a parsed
 * object that is written out again: its bytes were not signed.
 * @param stream The request's body
 * @param places Where a `rawBody` or a `body` may hold the bytes, as bytes or as text
 * @param fix What the log advises if the body was read and nothing has kept its bytes
 */
export function requestBody(stream: Readable, places: readonly object[], fix: string): BodyReader {
  return async (limits) => {
    const bytes = keptBytes(places, stream)
    // As long as the stream is unread, an empty value is a default: `decorateRequest('rawBody', '')`.
    if (bytes && (bytes.byteLength > 0 || hasBegun(stream))) return givenBody(bytes)(limits)
    if (hasBegun(stream)) return givenBody(await bytesKeptBy(stream, places, limits.signal, fix))(limits)
    try {
      return await nodeBody(stream)(limits)
    } catch (error) {
      throw BodyError.is(error) && error.reason === 'consumed' ? consumed(fix) : error
    }
  }
}

/** The bytes that another reader of the stream keeps, as soon as it has reached the end. */
async function bytesKeptBy(
  stream: Readable,
  places: readonly object[],
  signal: AbortSignal,
  fix: string,
): Promise<Uint8Array> {
  const isInTheMiddle = isBeingRead(stream)
  if (isInTheMiddle) await readToItsEnd(stream, signal)
  const bytes = keptBytes(places, stream)
  if (bytes) return bytes
  throw isInTheMiddle && stream.destroyed && !stream.readableEnded ? aborted() : consumed(fix)
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
  try {
    const value: unknown = Reflect.get(place, name)
    if (types.isUint8Array(value)) return value
    if (typeof value !== 'string') return undefined
    const bytes = Buffer.from(value)
    // Text in another encoding than UTF-8, base64 for example, is not the bytes. Its length tells.
    return value === '' || isOfLength(bytes.byteLength, stream) ? bytes : undefined
  } catch {
    // Some hosts parse the body when the property is read, and throw if it is malformed.
    return undefined
  }
}

function isOfLength(length: number, stream: Readable): boolean {
  const headers: unknown = Reflect.get(stream, 'headers')
  const declared: unknown = Object(headers)['content-length']
  return declared === undefined || Number(declared) === length
}

function isBeingRead(stream: Readable): boolean {
  if (stream.readableEnded || stream.destroyed) return false
  return stream.readableFlowing === true || stream.listenerCount('readable') > 0
}

const signsOfAnEnd = ['end', 'close', 'error', 'pause'] as const

function readToItsEnd(stream: Readable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      // The other reader gets the same event, and may keep the bytes a moment later.
      setImmediate(() => {
        if (isBeingRead(stream) && !signal.aborted) return
        for (const sign of signsOfAnEnd) stream.off(sign, look)
        signal.removeEventListener('abort', look)
        resolve()
      })
    }
    for (const sign of signsOfAnEnd) stream.on(sign, look)
    signal.addEventListener('abort', look)
    look()
  })
}
