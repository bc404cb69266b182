import { type BodyReader, givenBody, nodeBody } from '@scalekit-scim/core'
import type { Request } from 'express'

/**
 * The request's bytes as they were sent: what is left of them where a parser ran first (`req.rawBody`, or a Buffer or
 * string as `req.body`), else the stream. Never a parsed object written out again: its bytes were not signed.
 */
export function capture(req: Request): BodyReader {
  const { rawBody, body } = req as { rawBody?: unknown; body?: unknown }
  const bytes = bytesOf(rawBody) ?? bytesOf(body)
  return bytes ? givenBody(bytes) : nodeBody(req)
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' ? Buffer.from(value) : undefined
}
