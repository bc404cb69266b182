import { type Clock, type Deadline, timedOut, within } from '../base/clock.ts'
import { BodyError } from '../base/errors.ts'
import type { AttemptResult } from '../dispatch/outcome-log.ts'
import { header } from '../verification/signature.ts'
import { type Attempt, type UnusableAttempt, unusableBody } from './attempt.ts'
import { givenBody } from './body.ts'

/** Whether the body is over the limit, judged by the length that is known before the body is read. */
export function isTooLong({ body, headers }: Attempt, limitBytes: number): boolean {
  const bytes = typeof body === 'function' ? Number(header(headers, 'content-length')) : body?.byteLength
  return bytes > limitBytes
}

/** Whether the body is compressed. The signature covers the uncompressed bytes. */
export function isCompressed({ headers }: Attempt): boolean {
  const encoding = header(headers, 'content-encoding')?.trim().toLowerCase()
  return encoding !== undefined && encoding !== '' && encoding !== 'identity'
}

/** Reads the body until the deadline. Returns its bytes, or the attempt's outcome if the body could not be read. */
export async function readBody(
  { body }: Attempt,
  limitBytes: number,
  clock: Clock,
  deadline: Deadline,
): Promise<Uint8Array | AttemptResult> {
  const unusable = unusableBody(body)
  if (unusable) return unusableResult(unusable)
  const read = typeof body === 'function' ? body : givenBody(body)
  const waiting = new AbortController()
  try {
    const bytes = await within(clock, read({ limitBytes, signal: waiting.signal }), deadline.leftMs)
    if (bytes !== timedOut) return bytes
    waiting.abort()
    return { outcome: 'body-timeout' }
  } catch (error) {
    if (!BodyError.is(error)) {
      return unusableResult({ unusable: 'The reader that was passed as `body` threw', error })
    }
    if (error.reason === 'too-large') return { outcome: 'too-large' }
    if (error.reason === 'aborted') return { outcome: 'body-aborted' }
    return { outcome: 'body-consumed', fix: error.fix }
  }
}

/** The result after a mistake of the developer or the host. The reply is 500, so that the sender tries again. */
export function unusableResult({ unusable: fix, error }: UnusableAttempt): AttemptResult {
  return { outcome: 'internal', reason: 'unusable-attempt', fix, ...(error === undefined ? {} : { error }) }
}
