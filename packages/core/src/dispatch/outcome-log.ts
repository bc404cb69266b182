import {
  type ErrorFields,
  errorFields,
  isUnread,
  type Logger,
  type LogLevel,
  messageOf,
} from '../base/logger.ts'
import type { Outcome, OutcomeReport } from '../events/outcome.ts'
import { storeCodeOf, storeHints } from '../ledger/error-hints.ts'

/** The outcome of an attempt, as the log shows it. `onOutcome` receives all fields except `bodyBytes` and `fix`. */
export type AttemptResult = Omit<OutcomeReport, 'source' | 'durationMs' | 'late'> & {
  bodyBytes?: number
  /** The fix that the log shows to the developer. */
  fix?: string | undefined
}

/** The log level and the message for each outcome. */
const lines: Readonly<Record<Outcome, readonly [LogLevel, string]>> = {
  processed: ['info', 'processed'],
  unhandled: ['debug', 'no handler is registered for this event type'],
  duplicate: ['info', 'duplicate: the message is done already'],
  stale: ['info', 'superseded by a newer event'],
  dropped: ['warn', 'the handler dropped the event'],
  'in-flight': ['warn', 'another attempt at the message is still running'],
  busy: [
    'warn',
    'the event did not get its turn by the deadline: a handler of the resource is slow, or many events wait',
  ],
  deadline: [
    'warn',
    'the handler missed the deadline, but continues. After the handler succeeds, a retry is a duplicate',
  ],
  lost: ['error', 'the lease was lost while the handler ran. The sender tries again'],
  'store-unavailable': ['error', 'the store failed or did not answer in time. The sender tries again'],
  closed: ['info', 'closing: no new attempts are accepted'],
  'handler-failed': ['error', 'a handler failed. The sender tries again. `onOutcome` receives the error'],
  'invalid-signature': [
    'warn',
    'an attempt could not be verified. If no attempt can be verified, compare the secret with the endpoint’s secret in ' +
      'the Scalekit dashboard. Also synchronize the clock (NTP), and check that no proxy rewrites the body',
  ],
  'invalid-payload': [
    'error',
    'a verified payload is not a usable event. Check which system sends to this endpoint',
  ],
  'body-timeout': ['warn', 'the body did not arrive by the deadline'],
  'body-aborted': ['info', 'the connection closed before the body had arrived'],
  'body-consumed': ['error', 'other code has already read the body without storing its bytes'],
  'too-large': [
    'error',
    'a body over `bodyLimitBytes` was refused, so its signature was not verified. If Scalekit sent the body, raise ' +
      '`bodyLimitBytes`: after the last retry, only a directory sync recovers the event',
  ],
  'content-encoding': ['warn', 'a compressed body was refused, because its bytes are not the signed bytes'],
  method: ['warn', 'only POST is accepted here'],
  'resolver-failed': ['error', 'the secret resolver failed or did not answer. The sender tries again'],
  internal: ['error', 'scalekit-scim itself failed. Please report it'],
}

/**
 * The log line for a large body without valid signature headers. Scalekit's requests have valid headers, so this body
 * came from another sender.
 */
const tooLargeUnsigned = ['warn', 'an unsigned body over `bodyLimitBytes` was refused'] as const
const unusableAttempt = ['error', 'the request could not be read'] as const

/** @param recentStoreError Returns the code of the store client's recent error, for results whose error has no code */
export function logAttempt(
  log: Logger,
  result: AttemptResult,
  durationMs: number,
  recentStoreError: () => string | undefined,
): void {
  const [level, message] = lineOf(result)
  if (isUnread(log, level)) return
  const { error, fix, ...fields } = result
  log[level](
    {
      ...fields,
      durationMs: Math.round(durationMs),
      ...errorFieldsOf(fields.outcome, error),
      ...(fields.outcome === 'store-unavailable' ? storeFields(error, recentStoreError()) : {}),
    },
    fix === undefined ? message : `${message}. ${fix}`,
  )
}

/** Logs the outcome of a handler that ended after the delivery's deadline. */
export function logLateOutcome(
  log: Logger,
  { messageId, type, outcome, reason, error }: AttemptResult,
): void {
  const fields = { messageId, type, outcome }
  if (outcome === 'processed' || outcome === 'dropped') {
    log.info(fields, 'a handler finished after its deadline: a retry is now a duplicate')
  } else {
    log.error(
      { ...fields, ...(reason === undefined ? {} : { reason }), ...errorFieldsOf(outcome, error) },
      'a handler failed after its deadline: the retry runs the handler again',
    )
  }
}

function lineOf({ outcome, reason }: AttemptResult): readonly [LogLevel, string] {
  if (outcome === 'too-large' && reason !== undefined) return tooLargeUnsigned
  if (outcome === 'internal' && reason !== undefined) return unusableAttempt
  return lines[outcome]
}

/** An error message can contain a whole SQL statement with its values. */
const messageLimit = 1000

function errorFieldsOf(outcome: Outcome, error: unknown): Partial<ErrorFields> & { errorMessage?: string } {
  if (error === undefined) return {}
  // The message can contain personal data, so the log shows it only on a developer's machine.
  const isDeveloping = process.env.NODE_ENV === 'development' || process.env.NODE_ENV === 'test'
  const message = isDeveloping && outcome === 'handler-failed' ? messageOf(error) : undefined
  return {
    ...errorFields(error),
    ...(message === undefined ? {} : { errorMessage: message.slice(0, messageLimit) }),
  }
}

function storeFields(error: unknown, storeErrorCode: string | undefined): object {
  const own = storeCodeOf(error)
  // After a timeout, the client's own error can show the cause.
  const errorCode = own === undefined || own === 'TIMEOUT' ? (storeErrorCode ?? own) : own
  if (errorCode === undefined) return {}
  const hint = storeHints[errorCode]
  return { errorCode, ...(hint === undefined ? {} : { hint }) }
}
