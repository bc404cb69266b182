import type { EventSource } from './handlers.ts'

/** What became of one event. */
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

/** What became of one attempt. */
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

export interface DispatchOutcome {
  outcome: DispatchOutcomeName
  /** Why, in a word or two, where the outcome's name does not tell. */
  reason?: string
  /** What the handler or the store threw, whole. It may hold personal data: outside development, our logs leave its message out. */
  error?: unknown
}

/** Given to `onOutcome` once for each attempt, and for each `dispatch()`. For metrics and error trackers. */
export interface OutcomeReport {
  outcome: Outcome
  source: EventSource
  /** From the arrival to the answer; of a late report, to the handler's end. */
  durationMs: number
  /** Only where the attempt verified: before, it is anybody's word. */
  messageId?: string
  eventId?: string
  type?: string
  organizationId?: string
  resourceId?: string
  reason?: string
  error?: unknown
  /** The handler ended after the deadline: its attempt was reported before, as 'deadline'. */
  late?: true
}

/** The answer to one attempt, before a framework sends it. */
export interface Reply {
  status: number
  headers: Readonly<Record<string, string>>
  body: string
}

interface ReplyRow {
  status: number
  body: object
  headers?: Readonly<Record<string, string>>
}

// Scalekit counts 200 and 201 as delivered and tries everything else again, so 2xx says that the effect is there.
// 429 and 410 would slow the sender down or make it stop.
const retryAfter = { 'retry-after': '5' }
/** What was not read of a body cannot be told from the next request on the connection. */
const connectionClose = { connection: 'close' }
const processingFailed: ReplyRow = { status: 500, body: { error: 'Processing failed' } }
const unavailable: ReplyRow = { status: 503, body: { error: 'Service Unavailable' }, headers: retryAfter }

const rows: Readonly<Record<Outcome, ReplyRow>> = {
  processed: { status: 201, body: { message: 'Webhook processed successfully' } },
  unhandled: { status: 201, body: { message: 'Event type not handled' } },
  duplicate: { status: 200, body: { message: 'Already processed' } },
  stale: { status: 200, body: { message: 'Superseded by a newer event' } },
  dropped: { status: 200, body: { message: 'Dropped' } },
  'invalid-signature': { status: 400, body: { error: 'Invalid signature' }, headers: connectionClose },
  'invalid-payload': { status: 400, body: { error: 'Invalid payload' } },
  'body-timeout': { status: 408, body: { error: 'Request Timeout' }, headers: connectionClose },
  'body-aborted': { status: 400, body: { error: 'Bad Request' }, headers: connectionClose },
  'too-large': { status: 413, body: { error: 'Payload Too Large' }, headers: connectionClose },
  'content-encoding': { status: 415, body: { error: 'Unsupported Media Type' }, headers: connectionClose },
  method: {
    status: 405,
    body: { error: 'Method Not Allowed' },
    headers: { allow: 'POST', ...connectionClose },
  },
  'in-flight': { status: 409, body: { error: 'Conflict' }, headers: retryAfter },
  busy: unavailable,
  deadline: unavailable,
  lost: unavailable,
  'store-unavailable': unavailable,
  'resolver-failed': unavailable,
  closed: unavailable,
  'handler-failed': processingFailed,
  'body-consumed': processingFailed,
  internal: processingFailed,
}

const replies = new Map<Outcome, Reply>(
  Object.entries(rows).map(([outcome, row]) => {
    const body = JSON.stringify(row.body)
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      'scalekit-scim-outcome': outcome,
      ...row.headers,
    }
    return [outcome as Outcome, Object.freeze({ status: row.status, headers: Object.freeze(headers), body })]
  }),
)

/** The one reply that an outcome has, in every framework. */
export function replyTo(outcome: Outcome): Reply {
  return replies.get(outcome) as Reply
}
