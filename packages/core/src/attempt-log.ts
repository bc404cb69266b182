import { reasonFields } from './delivery.ts'
import type { Logger, LogLevel } from './logger.ts'
import type { Outcome, OutcomeReport } from './outcome.ts'
import { storeCodeOf, storeMends } from './store-trouble.ts'

type AttemptFields = Omit<OutcomeReport, 'source' | 'late'> & {
  bodyBytes?: number
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
  'body-consumed': [
    'error',
    'a body parser has read the body and kept no raw bytes: mount scalekitScim before express.json(), or keep the bytes ' +
      'with its `verify` option as `req.rawBody`',
  ],
  'too-large': [
    'error',
    'a body over `bodyLimitBytes` was refused: only a directory sync will heal what it said',
  ],
  'content-encoding': ['warn', 'a compressed body was refused: its bytes are not the bytes that were signed'],
  method: ['warn', 'only POST is answered here'],
  'resolver-failed': [
    'error',
    'the secret resolver failed or did not answer in time; the sender tries again',
  ],
  internal: ['error', 'scalekit-scim itself failed; please report it'],
}

export function logAttempt(log: Logger, { error, reason, storeTrouble, ...fields }: AttemptFields): void {
  const [level, message] = lines[fields.outcome]
  log[level](
    {
      ...fields,
      durationMs: Math.round(fields.durationMs),
      ...reasonFields({ ...(reason === undefined ? {} : { reason }), error }),
      ...(fields.outcome === 'store-unavailable' ? storeFields(error, storeTrouble) : {}),
    },
    message,
  )
}

function storeFields(error: unknown, storeTrouble: string | undefined): object {
  const own = storeCodeOf(error)
  // Why there was no answer, the client may know.
  const errorCode = own === undefined || own === 'TIMEOUT' ? (storeTrouble ?? own) : own
  if (errorCode === undefined) return {}
  const mend = storeMends[errorCode]
  return { errorCode, ...(mend === undefined ? {} : { mend }) }
}
