import type { Logger, LogLevel } from '../base/logger.ts'
import { reasonFields } from '../dispatch/delivery.ts'
import type { Outcome, OutcomeReport } from '../events/outcome.ts'
import { storeCodeOf, storeHints } from '../ledger/error-hints.ts'

type AttemptFields = Omit<OutcomeReport, 'source' | 'late'> & {
  bodyBytes?: number
  fix?: string | undefined
  /** What the store's client said of itself, should the error say nothing. */
  storeTrouble?: string | undefined
}

/** One line for each attempt: what became of it and, where somebody should act, how. */
const lines: Readonly<Record<Outcome, readonly [LogLevel, string]>> = {
  processed: ['info', 'processed'],
  unhandled: ['debug', 'no handler for this type'],
  duplicate: ['info', 'a duplicate: done already'],
  stale: ['info', 'superseded by a newer event'],
  dropped: ['warn', 'the handler dropped the event'],
  'in-flight': ['warn', 'another attempt at the message is still running'],
  busy: [
    'warn',
    "the resource's turn did not come by the deadline: its handler is slow, or many of its events came at once",
  ],
  deadline: [
    'warn',
    'the handler has not finished by the deadline; it goes on, and the retry will find it done',
  ],
  lost: ['error', 'the lease was lost while the handler ran: the retry decides'],
  'store-unavailable': ['error', 'the store failed or did not answer in time; the sender tries again'],
  closed: ['info', 'closing: nothing new is taken'],
  'handler-failed': [
    'error',
    'a handler failed; the sender tries again. The error itself goes to `onOutcome`',
  ],
  'invalid-signature': [
    'warn',
    'an attempt did not verify. Where all do: compare the secret with the endpoint’s in the Scalekit dashboard, the clock ' +
      'with NTP, and let no proxy rewrite the body',
  ],
  'invalid-payload': [
    'error',
    'a verified payload is no usable event. Is it Scalekit that sends to this endpoint?',
  ],
  'body-timeout': ['warn', 'the body did not arrive by the deadline'],
  'body-aborted': ['info', 'the sender went away before its body had arrived'],
  'body-consumed': ['error', 'something in front has read the body, and its raw bytes were not kept'],
  'too-large': [
    'error',
    'a body over `bodyLimitBytes` was refused, so its signature was not verified. If Scalekit sent it, raise ' +
      '`bodyLimitBytes`: after the last retry, only a directory sync recovers the event',
  ],
  'content-encoding': ['warn', 'a compressed body was refused: its bytes are not the bytes that were signed'],
  method: ['warn', 'only POST is answered here'],
  'resolver-failed': [
    'error',
    'the secret resolver failed or did not answer in time; the sender tries again',
  ],
  internal: ['error', 'scalekit-scim itself failed; please report it'],
}

/** Scalekit signs its requests within the tolerance, so this is somebody else's. Anybody can send it. */
const tooLargeUnsigned = ['warn', 'an unsigned body over `bodyLimitBytes` was refused'] as const
const unusableAttempt = ['error', 'the request could not be judged'] as const

export function logAttempt(log: Logger, { error, storeTrouble, fix, ...fields }: AttemptFields): void {
  const [level, message] = lineOf(fields)
  log[level](
    {
      ...fields,
      durationMs: Math.round(fields.durationMs),
      ...reasonFields({ ...fields, error }),
      ...(fields.outcome === 'store-unavailable' ? storeFields(error, storeTrouble) : {}),
    },
    fix === undefined ? message : `${message}. ${fix}`,
  )
}

function lineOf({ outcome, reason }: Pick<AttemptFields, 'outcome' | 'reason'>): readonly [LogLevel, string] {
  if (outcome === 'too-large' && reason !== undefined) return tooLargeUnsigned
  if (outcome === 'internal' && reason !== undefined) return unusableAttempt
  return lines[outcome]
}

function storeFields(error: unknown, storeTrouble: string | undefined): object {
  const own = storeCodeOf(error)
  // Why there was no answer, the client may know.
  const errorCode = own === undefined || own === 'TIMEOUT' ? (storeTrouble ?? own) : own
  if (errorCode === undefined) return {}
  const hint = storeHints[errorCode]
  return { errorCode, ...(hint === undefined ? {} : { hint }) }
}
