import type { Outcome } from '../events/outcome.ts'

/** The reply to one attempt, before a framework sends it. */
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

// Scalekit counts only 200 and 201 as delivered, and retries all other replies. So if a retry is needed, the reply is
// not 2xx. The receiver does not use 429 and 410, because they make the sender slow down or stop.
const retryAfter = { 'retry-after': '5' }
/**
 * Closes the connection after an unread body, because the server could parse the rest of the body as the next request.
 */
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

/** Returns the reply for an outcome. The reply is the same in each framework. */
export function replyTo(outcome: Outcome): Reply {
  return replies.get(outcome) as Reply
}
