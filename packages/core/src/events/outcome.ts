import type { EventSource } from './handlers.ts'

/** The outcome of one event. */
export type DispatchOutcomeName =
  | 'processed'
  | 'unhandled'
  | 'duplicate'
  | 'stale'
  | 'dropped'
  | 'in-flight'
  | 'busy'
  | 'deadline'
  | 'lost'
  | 'store-unavailable'
  | 'closed'
  | 'handler-failed'

/** The outcome of one attempt. */
export type Outcome =
  | DispatchOutcomeName
  | 'invalid-signature'
  | 'invalid-payload'
  | 'body-timeout'
  | 'body-aborted'
  | 'body-consumed'
  | 'too-large'
  | 'content-encoding'
  | 'method'
  | 'resolver-failed'
  | 'internal'

/** The result of `dispatch()`. */
export interface DispatchOutcome {
  outcome: DispatchOutcomeName
  /** A short reason. Absent if the outcome's name states the reason. */
  reason?: string
  /**
   * The value that the handler or the store threw. The value can contain personal data. Outside development, the log
   * omits the error's message.
   */
  error?: unknown
}

/** The argument of `onOutcome`, for metrics and error trackers. */
export interface OutcomeReport {
  outcome: Outcome
  source: EventSource
  /**
   * The time from the arrival of the event to the answer. In a late report, this is the time until the handler ended.
   */
  durationMs: number
  /**
   * The message's id. If the signature of an attempt is not valid, this field is absent, because any sender can choose
   * an id.
   */
  messageId?: string
  eventId?: string
  type?: string
  organizationId?: string
  resourceId?: string
  reason?: string
  error?: unknown
  /** The handler ended after the deadline. An earlier report has the outcome 'deadline'. */
  late?: true
}

/**
 * Returns the outcome for a copy of a message whose run has ended. If the run never began its handlers, returns
 * `undefined`.
 */
export function outcomeOfCopy({ outcome }: DispatchOutcome): DispatchOutcome | undefined {
  switch (outcome) {
    case 'processed':
    case 'dropped':
    case 'duplicate':
      return { outcome: 'duplicate' }
    case 'stale':
    case 'lost':
    case 'store-unavailable':
      return { outcome }
    case 'handler-failed':
      return { outcome, reason: 'another attempt at the message failed' }
    default:
      return undefined
  }
}
