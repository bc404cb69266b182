import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { DropEvent, type Ledger, type OutcomeReport, type ReceiverOptions } from '@scalekit-scim/core'
import { sampleEvent, signDelivery } from '@scalekit-scim/core/testing'
import { describe, expect, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { expectReply } from '../support/replies.ts'
import { subjects } from '../support/subjects.ts'
import { head, send, sendRaw } from '../support/wire.ts'

const path = '/webhooks/scalekit'
const hire = sampleEvent('organization.directory.user_created')
const update = sampleEvent('organization.directory.user_updated', { occurred_at: '2026-11-23T09:05:00Z' })

describe.each(subjects)('every reply, $name', ({ name, start }) => {
  test('processed: the handler has finished', async () => {
    const seen: string[] = []
    const { url } = await start({ onUserUpserted: (event) => void seen.push(event.data.id) })
    expectReply(await send(url, signDelivery(hire)), 'processed')
    expect(seen).toEqual([hire.data.id])
  })

  test('unhandled: no handler for a directory type, nor for an unknown type', async () => {
    const { url } = await start({ onUserDeleted: () => {} })
    expectReply(await send(url, signDelivery(hire)), 'unhandled')
    expectReply(await send(url, signDelivery({ type: 'user.signed_up', data: {} })), 'unhandled')
  })

  test('duplicate: the same message again, with a new timestamp', async () => {
    let runs = 0
    const { url } = await start({ onUserUpserted: () => void runs++ })
    const messageId = 'msg_same'
    expectReply(await send(url, signDelivery(hire, { messageId })), 'processed')
    expectReply(
      await send(url, signDelivery(hire, { messageId, at: new Date(Date.now() - 5000) })),
      'duplicate',
    )
    expect(runs).toBe(1)
  })

  test('stale: an event that is older than the watermark of the user', async () => {
    const seen: string[] = []
    const { url } = await start({ onUserUpserted: (event) => void seen.push(event.type) })
    expectReply(await send(url, signDelivery(update)), 'processed')
    expectReply(await send(url, signDelivery(hire)), 'stale')
    expect(seen).toEqual([update.type])
  })

  test('dropped: the handler throws DropEvent, and the watermark moves', async () => {
    const { url } = await start({
      onUserUpdated: () => {
        throw new DropEvent('seat-limit')
      },
      onUserCreated: () => {},
    })
    const delivery = () => signDelivery(update, { messageId: 'msg_dropped' })
    expectReply(await send(url, delivery()), 'dropped')
    expectReply(await send(url, delivery()), 'duplicate')
    expectReply(await send(url, signDelivery(hire)), 'stale')
  })

  const forgeries: [
    string,
    (delivery: ReturnType<typeof signDelivery>) => { headers: Record<string, string>; body: Uint8Array },
  ][] = [
    [
      'another secret',
      () => signDelivery(hire, { secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` }),
    ],
    ['no headers', ({ body }) => ({ headers: { 'content-type': 'application/json' }, body })],
    ['another body', ({ headers }) => ({ headers, body: Buffer.from('{}') })],
    ['a timestamp too old', () => signDelivery(hire, { at: new Date(Date.now() - 301_000 - 1000) })],
    ['a timestamp too new', () => signDelivery(hire, { at: new Date(Date.now() + 301_000 + 1000) })],
    ['an empty body', ({ headers }) => ({ headers, body: Buffer.alloc(0) })],
  ]
  test.each(forgeries)('invalid-signature: %s', async (_name, forge) => {
    const log = recordingLogger()
    const { url } = await start({ onEvent: () => expect.unreachable(), logger: log })
    expectReply(await send(url, forge(signDelivery(hire))), 'invalid-signature')
    expect(log.lines.map((line) => line.level)).toEqual(['warn'])
  })

  const unsigned: [string, (headers: Record<string, string>) => Record<string, string>][] = [
    ['no signature', ({ 'webhook-signature': _, ...headers }) => headers],
    ['no id', ({ 'webhook-id': _, ...headers }) => headers],
    ['no timestamp', ({ 'webhook-timestamp': _, ...headers }) => headers],
    ['a malformed timestamp', (headers) => ({ ...headers, 'webhook-timestamp': 'now' })],
    ['a timestamp out of tolerance', (headers) => ({ ...headers, 'webhook-timestamp': '1614265330' })],
  ]
  test.each(unsigned)(
    'invalid-signature: a request with %s is answered before its body arrives',
    async (_name, without) => {
      const { port } = await start({ onEvent: () => expect.unreachable() })
      const headers = without(signDelivery(hire).headers)
      const { text } = await sendRaw(port, head(path, { ...headers, 'content-length': '1000' }), [])
      expect(text).toMatch(/^HTTP\/1\.1 400 /)
      expect(text).toContain('{"error":"Invalid signature"}')
      expect(text.toLowerCase()).toContain('connection: close')
    },
  )

  test('invalid-signature: nothing of an unsigned endless body is kept', async () => {
    const { port } = await start({ onEvent: () => expect.unreachable() })
    const piece = Buffer.alloc(64 * 1024, 0x20)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')])
    const total = 800 * chunk.length
    const pieces = Array.from({ length: 800 }, () => chunk)
    const { text, sentBytes } = await sendRaw(port, head(path, { 'transfer-encoding': 'chunked' }), pieces)
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(sentBytes).toBeLessThan(total / 2)
  })

  test('too-large comes before a missing signature if the length is known, and is only a warning', async () => {
    const log = recordingLogger()
    const { port } = await start({ onEvent: () => expect.unreachable(), logger: log })
    const { text } = await sendRaw(port, head(path, { 'content-length': String(50 * 1024 * 1024) }), [])
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { reason: 'missing-header' } }])
    expect(log.text()).not.toContain('directory sync')
  })

  test('invalid-signature: the resolver returns no secret', async () => {
    const { url } = await start({ secret: () => undefined, onEvent: () => {} })
    expectReply(await send(url, signDelivery(hire)), 'invalid-signature')
  })

  const unusable: [string, string | Uint8Array | object][] = [
    ['no JSON', '{"type":'],
    ['a JSON array', '[]'],
    ['no type', { data: {} }],
    ['no data', { type: hire.type }],
    ['no data.id', { ...hire, data: { ...hire.data, id: undefined } }],
    ['no organization', { ...hire, organization_id: null, data: { ...hire.data, organization_id: null } }],
    ['no time', { ...hire, occurred_at: 'yesterday' }],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ]
  test.each(unusable)('invalid-payload: %s', async (_name, payload) => {
    const log = recordingLogger()
    const { url } = await start({ onEvent: () => expect.unreachable(), logger: log })
    expectReply(await send(url, signDelivery(payload)), 'invalid-payload')
    expect(log.lines.map((line) => line.level)).toEqual(['error'])
  })

  test('body-timeout: only half of the body arrives', async () => {
    const { port } = await start({ onEvent: () => {}, deadlineSeconds: 0.2 })
    const { headers, body } = signDelivery(hire)
    const length = { 'content-length': String(body.length) }
    const { text } = await sendRaw(port, head(path, { ...headers, ...length }), [body.subarray(0, 10)])
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toContain('scalekit-scim-outcome: body-timeout')
    expect(text).toContain('{"error":"Request Timeout"}')
  })

  test('body-aborted: the sender disconnects, and a retry is processed', async () => {
    const reports: OutcomeReport[] = []
    const { port, url } = await start({
      onUserUpserted: () => {},
      onOutcome: (report) => reports.push(report),
    })
    const { headers, body } = signDelivery(hire, { messageId: 'msg_cut' })
    const socket = connect(port, '127.0.0.1')
    socket.write(head(path, { ...headers, 'content-length': String(body.length) }))
    socket.write(body.subarray(0, 20), () => setTimeout(() => socket.destroy(), 50))
    await expect.poll(() => reports.map((report) => report.outcome)).toEqual(['body-aborted'])
    expectReply(await send(url, signDelivery(hire, { messageId: 'msg_cut' })), 'processed')
  })

  test('body-consumed: something has read the body, and the log names the fix for this framework', async () => {
    const log = recordingLogger()
    const { url } = await start({ onEvent: () => expect.unreachable(), logger: log, consumeBody: true })
    expectReply(await send(url, signDelivery(hire)), 'body-consumed')
    const fix = name.startsWith('Express') ? 'before express.json()' : 'fastify-raw-body'
    expect(log.lines[0]?.message).toContain(fix)
  })

  test.each([
    ['announces its length', true],
    ['does not announce its length', false],
  ])('too-large: a body that %s is refused before its end', async (_name, announced) => {
    const log = recordingLogger()
    const { port } = await start({ onEvent: () => expect.unreachable(), logger: log })
    const total = 50 * 1024 * 1024
    const piece = Buffer.alloc(64 * 1024, 0x20)
    const chunk = announced ? piece : Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')])
    const framing = announced ? { 'content-length': String(total) } : { 'transfer-encoding': 'chunked' }
    const pieces = Array.from({ length: total / piece.length }, () => chunk)
    const { text, sentBytes } = await sendRaw(
      port,
      head(path, { ...signDelivery(hire).headers, ...framing }),
      pieces,
    )
    expect(text).toMatch(/^HTTP\/1\.1 413 /)
    expect(text).toContain('{"error":"Payload Too Large"}')
    expect(text.toLowerCase()).toContain('connection: close')
    expect(sentBytes).toBeLessThan(total / 2)
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      message: expect.stringContaining('If Scalekit sent the body, raise `bodyLimitBytes`'),
    })
  })

  test('too-large: a body one byte over the limit, but not a body at the limit', async () => {
    const { body } = signDelivery(hire)
    const { url } = await start({ onEvent: () => {}, bodyLimitBytes: body.length })
    expectReply(await send(url, signDelivery(hire)), 'processed')
    expectReply(await send(url, signDelivery(`${body} `)), 'too-large')
  })

  test('content-encoding: a compressed body', async () => {
    const { url } = await start({ onEvent: () => expect.unreachable() })
    const { headers, body } = signDelivery(hire)
    expectReply(
      await send(url, { headers: { ...headers, 'content-encoding': 'gzip' }, body }),
      'content-encoding',
    )
  })

  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('method: %s', async (method) => {
    const { url } = await start({ onEvent: () => expect.unreachable() })
    expectReply(await send(url, { method, headers: {} }), 'method', method)
    expectReply(await send(`${url}/?a=b`, { method, headers: {} }), 'method', method)
  })

  test('the endpoint accepts any content type, even a malformed or a missing one', async () => {
    const { url } = await start({ onUserUpserted: () => {} })
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'nonsense;;',
      '/',
    ]) {
      const { headers, body } = signDelivery(hire)
      expectReply(await send(url, { headers: { ...headers, 'content-type': type }, body }), 'processed')
    }
    const { headers, body } = signDelivery(hire)
    const { 'content-type': _, ...untyped } = headers
    expectReply(await send(url, { headers: untyped, body }), 'processed')
  })

  test('in-flight: another process holds the message until the deadline', async () => {
    const { url, receiver } = await start({
      onUserUpserted: () => expect.unreachable(),
      deadlineSeconds: 0.3,
    })
    await receiver.ledger.begin({ token: 'other', messageId: 'msg_held', leaseSeconds: 10 })
    expectReply(await send(url, signDelivery(hire, { messageId: 'msg_held' })), 'in-flight')
  })

  test('duplicate: another process finishes the message while the attempt waits', async () => {
    const { url, receiver } = await start({ onUserUpserted: () => expect.unreachable() })
    const begun = await receiver.ledger.begin({ token: 'other', messageId: 'msg_held', leaseSeconds: 10 })
    if (begun.state !== 'begun') return expect.unreachable()
    const answer = send(url, signDelivery(hire, { messageId: 'msg_held' }))
    await sleep(100)
    const claim = { ...begun, token: 'other', messageId: 'msg_held', deletion: false }
    await receiver.ledger.commit(claim, { retentionSeconds: 60, watermarkRetentionSeconds: 60 })
    expectReply(await answer, 'duplicate')
  })

  test('busy: another process has the turn of the user until the deadline', async () => {
    const { url, receiver } = await start({
      onUserUpserted: () => expect.unreachable(),
      deadlineSeconds: 0.3,
    })
    const resource = `user:${hire.organization_id}:${hire.data.id}`
    await receiver.ledger.begin({ token: 'other', messageId: 'msg_other', resource, leaseSeconds: 10 })
    expectReply(await send(url, signDelivery(hire)), 'busy')
  })

  test('busy: a slow handler of the same user, in this process', async () => {
    const { url } = await start({ onUserUpserted: () => sleep(600), deadlineSeconds: 0.3 })
    const slow = send(url, signDelivery(hire))
    await sleep(50)
    expectReply(await send(url, signDelivery(update)), 'busy')
    expectReply(await slow, 'deadline')
  })

  test('deadline: the handler continues with a renewed lease, and the retry is a duplicate', async () => {
    let finished = 0
    const { url } = await start({
      onUserUpserted: async () => {
        await sleep(900)
        finished++
      },
      deadlineSeconds: 0.2,
      leaseSeconds: 0.3,
      storeTimeoutSeconds: 0.1,
    })
    const delivery = () => signDelivery(hire, { messageId: 'msg_slow' })
    expectReply(await send(url, delivery()), 'deadline')
    expectReply(await send(url, delivery()), 'in-flight')
    await expect.poll(() => finished).toBe(1)
    expectReply(await send(url, delivery()), 'duplicate')
    expect(finished).toBe(1)
  })

  test('lost: another process got the lease while the handler ran', async () => {
    const { url, receiver } = await start({
      onUserUpserted: async (_event, ctx) => {
        await receiver.ledger.forget(ctx.idempotencyKey)
        await receiver.ledger.begin({ token: 'other', messageId: ctx.idempotencyKey, leaseSeconds: 10 })
      },
    })
    expectReply(await send(url, signDelivery(hire)), 'lost')
  })

  test('store-unavailable: begin throws', async () => {
    const { url } = await start({ onUserUpserted: () => expect.unreachable(), store: brokenLedger('throws') })
    expectReply(await send(url, signDelivery(hire)), 'store-unavailable')
  })

  test('store-unavailable: begin does not answer', async () => {
    const store = brokenLedger('hangs')
    const { url } = await start({
      onUserUpserted: () => expect.unreachable(),
      store,
      storeTimeoutSeconds: 0.1,
    })
    expectReply(await send(url, signDelivery(hire)), 'store-unavailable')
  })

  const resolvers: [string, ReceiverOptions['secret']][] = [
    ['throws', () => Promise.reject(new Error('down'))],
    ['does not answer', () => new Promise<string>(() => {})],
    ['gives no usable secret', () => 'whsec_!!!!'],
  ]
  test.each(resolvers)('resolver-failed: the resolver %s', async (_name, secret) => {
    const { url } = await start({ secret: secret as () => string, onEvent: () => {}, deadlineSeconds: 0.2 })
    expectReply(await send(url, signDelivery(hire)), 'resolver-failed')
  })

  test('closed: no new attempts after close() is called', async () => {
    const { url, receiver } = await start({ onEvent: () => expect.unreachable() })
    await receiver.close()
    expectReply(await send(url, signDelivery(hire)), 'closed')
  })

  test('handler-failed: the retry runs the handler again, and succeeds', async () => {
    let runs = 0
    const { url } = await start({
      onUserUpserted: () => {
        if (++runs === 1) throw new Error('database away')
      },
    })
    const delivery = () => signDelivery(hire, { messageId: 'msg_retried' })
    expectReply(await send(url, delivery()), 'handler-failed')
    expectReply(await send(url, delivery()), 'processed')
    expectReply(await send(url, delivery()), 'duplicate')
    expect(runs).toBe(2)
  })

  test('internal: an error in this package is a 500, never a crash', async () => {
    const nonsense = { ...brokenLedger('throws'), begin: async () => undefined } as unknown as Ledger
    const { url } = await start({ onUserUpserted: () => expect.unreachable(), store: nonsense })
    expectReply(await send(url, signDelivery(hire)), 'internal')
  })
})

function brokenLedger(how: 'throws' | 'hangs'): Ledger {
  const fail = () => {
    if (how === 'throws') throw new Error('the store is down')
    return new Promise<never>(() => {})
  }
  return {
    guarantee: { message: 'process', order: 'process' },
    begin: fail,
    renew: fail,
    commit: fail,
    release: fail,
    forget: fail,
    forgetResource: fail,
    record: () => ({ read: fail, compareAndSet: fail }),
    now: fail,
  }
}
