import type { ClientRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface BodyWriting {
  body: Buffer
  cutAfterBytes?: number | undefined
  overMs?: number | undefined
}

const pieceEveryMs = 100

/** Sends a request's body, at once or piece by piece; gives whether the connection was cut, as was asked. */
export async function writeBody(
  request: ClientRequest,
  { body, cutAfterBytes, overMs = 0 }: BodyWriting,
  signal: AbortSignal,
): Promise<boolean> {
  if (cutAfterBytes === undefined && overMs === 0) {
    request.end(body)
    return false
  }
  // The headers must be on their way also where no byte of a body follows them.
  request.flushHeaders()
  const isAborted = await writePieces(request, body.subarray(0, cutAfterBytes), overMs, signal)
  if (isAborted) return false
  if (cutAfterBytes === undefined) {
    request.end()
    return false
  }
  return new Promise((resolve) => request.write('', (error) => resolve(!error)))
}

async function writePieces(
  request: ClientRequest,
  body: Buffer,
  overMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const pauses = Math.min(Math.ceil(overMs / pieceEveryMs), body.length)
  const pieceBytes = Math.ceil(body.length / (pauses + 1))
  for (let at = 0; at < body.length; at += pieceBytes) {
    if (at > 0) await sleep(overMs / pauses, undefined, { signal }).catch(() => {})
    if (signal.aborted) return true
    request.write(body.subarray(at, at + pieceBytes))
  }
  return false
}
