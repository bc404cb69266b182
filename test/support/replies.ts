import type { Outcome } from '@scalekit-scim/core'
import { expect } from 'vitest'
import type { Answer } from './wire.ts'

interface ExpectedReply {
  status: number
  body: string
  retryAfter?: string
  allow?: string
  /** Whether the connection must end, because the server did not read the whole body. */
  closes?: true
}

const failed = { status: 500, body: '{"error":"Processing failed"}' }
const unavailable = { status: 503, body: '{"error":"Service Unavailable"}', retryAfter: '5' }

/** A copy of the reply table, written by hand. The tests compare the code with this contract. */
export const expectedReplies: Record<Outcome, ExpectedReply> = {
  processed: { status: 201, body: '{"message":"Webhook processed successfully"}' },
  unhandled: { status: 201, body: '{"message":"Event type not handled"}' },
  duplicate: { status: 200, body: '{"message":"Already processed"}' },
  stale: { status: 200, body: '{"message":"Superseded by a newer event"}' },
  dropped: { status: 200, body: '{"message":"Dropped"}' },
  'invalid-signature': { status: 400, body: '{"error":"Invalid signature"}', closes: true },
  'invalid-payload': { status: 400, body: '{"error":"Invalid payload"}' },
  'body-timeout': { status: 408, body: '{"error":"Request Timeout"}', closes: true },
  'body-aborted': { status: 400, body: '{"error":"Bad Request"}', closes: true },
  'too-large': { status: 413, body: '{"error":"Payload Too Large"}', closes: true },
  'content-encoding': { status: 415, body: '{"error":"Unsupported Media Type"}', closes: true },
  method: { status: 405, body: '{"error":"Method Not Allowed"}', allow: 'POST', closes: true },
  'in-flight': { status: 409, body: '{"error":"Conflict"}', retryAfter: '5' },
  busy: unavailable,
  deadline: unavailable,
  lost: unavailable,
  'store-unavailable': unavailable,
  'resolver-failed': unavailable,
  closed: unavailable,
  'handler-failed': failed,
  'body-consumed': failed,
  internal: failed,
}

/** Compares the status, the body and each of our headers with the table. */
export function expectReply(answer: Answer, outcome: Outcome, method = 'POST'): void {
  const expected = expectedReplies[outcome]
  expect({
    outcome: answer.headers['scalekit-scim-outcome'],
    status: answer.status,
    body: answer.body,
    'content-type': answer.headers['content-type'],
    'content-length': answer.headers['content-length'],
    'cache-control': answer.headers['cache-control'],
    'retry-after': answer.headers['retry-after'],
    allow: answer.headers.allow,
    closes: expected.closes && answer.headers.connection,
    etag: answer.headers.etag,
  }).toEqual({
    outcome,
    status: expected.status,
    body: method === 'HEAD' ? '' : expected.body,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(expected.body)),
    'cache-control': 'no-store',
    'retry-after': expected.retryAfter,
    allow: expected.allow,
    closes: expected.closes && 'close',
    etag: undefined,
  })
}
