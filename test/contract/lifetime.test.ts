import { setTimeout as sleep } from 'node:timers/promises'
import {
  createDispatcher,
  createReceiver,
  type HandlerContext,
  type OutcomeReport,
} from '@scalekit-scim/core'
import { createFakeClock, sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import Keyv from 'keyv'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ledgerAround } from '../support/ledger-around.ts'
import { recordingLogger } from '../support/log.ts'

const hire = sampleEvent('organization.directory.user_created')
const receive = { url: '/', secret: TEST_SECRET }

function receiverWith(options: Parameters<typeof createReceiver>[0] = {}) {
  return createReceiver({ secret: TEST_SECRET, logger: false, ...options })
}

describe('the context of a handler', () => {
  test('the context has source, key, watermark, deadline and a signal that has not aborted', async () => {
    let ctx: HandlerContext | undefined
    const receiver = receiverWith({
      onUserUpserted: (_event, told) => {
        ctx = told
      },
    })
    const sentAt = Date.now()
    await receiver.receive({ ...receive, ...signDelivery(hire, { messageId: 'msg_a:b%c' }) })
    expect(ctx).toMatchObject({
      source: 'webhook',
      idempotencyKey: 'msg_a%3Ab%25c',
      occurredAt: '2026-11-23T09:00:00.153954000Z',
    })
    expect((ctx?.deadline.getTime() ?? 0) - sentAt).toBeLessThanOrEqual(9100)
    expect(ctx?.signal.aborted).toBe(false)
  })

  test('the watermark has nine decimals, and is not later than now for an event from the future', async () => {
    const seen: string[] = []
    const clock = createFakeClock(new Date('2026-11-23T12:00:00Z'))
    const receiver = receiverWith({ onUserUpserted: (_event, ctx) => void seen.push(ctx.occurredAt), clock })
    for (const occurred_at of ['2026-11-23T09:00:00Z', '2027-01-01T00:00:00.5Z']) {
      const event = sampleEvent('organization.directory.user_updated', { occurred_at })
      await receiver.receive({ ...receive, ...signDelivery(event, { at: new Date(clock.now()) }) })
    }
    expect(seen).toEqual(['2026-11-23T09:00:00.000000000Z', '2026-11-23T12:00:00.000000000Z'])
  })

  test('a second message with the same event id is not a duplicate', async () => {
    let runs = 0
    const receiver = receiverWith({ onUserUpserted: () => void runs++ })
    await receiver.receive({ ...receive, ...signDelivery(hire) })
    await receiver.receive({ ...receive, ...signDelivery(hire) })
    expect(runs).toBe(2)
  })
})

describe('a handler that does not end', () => {
  test('a handler that does not end gets an aborted signal at handlerTimeoutSeconds, and its message can run again', async () => {
    const clock = createFakeClock()
    const reports: OutcomeReport[] = []
    const aborts: string[] = []
    let runs = 0
    const receiver = receiverWith({
      clock,
      handlerTimeoutSeconds: 60,
      onOutcome: (report) => reports.push(report),
      onUserUpserted: (_event, { signal }) => {
        if (++runs > 1) return
        signal.addEventListener('abort', () => aborts.push(String(signal.reason)))
        return new Promise(() => {})
      },
    })
    const attempt = () =>
      receiver.receive({
        ...receive,
        ...signDelivery(hire, { messageId: 'msg_stuck', at: new Date(clock.now()) }),
      })
    const first = attempt()
    await clock.advance(9000)
    expect((await first).outcome).toBe('deadline')
    expect(aborts).toEqual([])

    await clock.advance(51_000)
    expect(aborts).toEqual(['AbortError: scalekit-scim: handlerTimeoutSeconds have passed'])
    expect(reports.map(({ outcome, late }) => [outcome, late])).toEqual([
      ['deadline', undefined],
      ['handler-failed', true],
    ])

    // The lease of the message is no longer renewed, and expires while the retry waits.
    const retry = attempt()
    await clock.advance(9000)
    expect((await retry).outcome).toBe('processed')
    expect(runs).toBe(2)
  })

  test('a handler that does not end keeps its lease until its time limit', async () => {
    const clock = createFakeClock()
    const { promise: work, resolve: finish } = Promise.withResolvers<void>()
    const receiver = receiverWith({
      clock,
      onUserUpserted: () => work,
    })
    const first = receiver.receive({
      ...receive,
      ...signDelivery(hire, { messageId: 'msg_long', at: new Date(clock.now()) }),
    })
    await clock.advance(300_000)
    expect((await first).outcome).toBe('deadline')
    const begin = await receiver.ledger.begin({ token: 'other', messageId: 'msg_long', leaseSeconds: 1 })
    expect(begin.state).toBe('in-flight')
    finish()
    await clock.advance(10)
    const after = await receiver.ledger.begin({ token: 'other', messageId: 'msg_long', leaseSeconds: 1 })
    expect(after.state).toBe('duplicate')
  })
})

describe('closing', () => {
  test('close() waits for the running handler, and refuses the events that wait behind it', async () => {
    let finished = 0
    const receiver = receiverWith({
      onUserUpserted: async () => {
        await sleep(200)
        finished++
      },
    })
    const first = receiver.receive({ ...receive, ...signDelivery(hire) })
    const second = receiver.receive({ ...receive, ...signDelivery(hire) })
    await sleep(50)
    await receiver.close()
    expect(finished).toBe(1)
    expect([(await first).outcome, (await second).outcome]).toEqual(['processed', 'closed'])
  })

  test('close() aborts the signal when the grace is over, and releases the claim', async () => {
    const receiver = receiverWith({
      onUserUpserted: (_event, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    const answer = receiver.receive({ ...receive, ...signDelivery(hire, { messageId: 'msg_slow' }) })
    await sleep(50)
    await receiver.close({ graceSeconds: 0.1 })
    expect((await answer).outcome).toBe('handler-failed')
    const begin = await receiver.ledger.begin({ token: 'next', messageId: 'msg_slow', leaseSeconds: 1 })
    expect(begin.state).toBe('begun')
  })

  test('close() releases a claim that arrives after the grace, without starting a handler', async () => {
    const clock = createFakeClock()
    const { ledger, real } = ledgerAround(
      (real) => ({
        begin: async (request) => {
          const answer = await real.begin(request)
          await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1500))
          return answer
        },
      }),
      clock,
    )
    let runs = 0
    const receiver = receiverWith({ clock, store: ledger, onUserUpserted: () => void runs++ })
    const delivery = signDelivery(hire, { messageId: 'msg_begun', at: new Date(clock.now()) })
    const answer = receiver.receive({ ...receive, ...delivery })
    await clock.advance(100)
    const closed = receiver.close({ graceSeconds: 0 })
    await clock.advance(2000)
    await closed
    expect((await answer).outcome).toBe('closed')
    expect(runs).toBe(0)
    expect(await real.begin({ token: 'next', messageId: 'msg_begun', leaseSeconds: 1 })).toMatchObject({
      state: 'begun',
    })
  })

  test('close() returns the same promise for each call, and `await using` calls close()', async () => {
    const receiver = receiverWith()
    expect(receiver.close()).toBe(receiver.close())
    const left = await (async () => {
      await using scoped = receiverWith({ onEvent: () => {} })
      return scoped
    })()
    expect((await left.receive({ ...receive, ...signDelivery(hire) })).outcome).toBe('closed')
  })

  test('close() releases the namespace, and the next receiver on a Map has the done messages', async () => {
    const store = new Keyv()
    const first = receiverWith({ store, onUserUpserted: () => {} })
    expect(() => receiverWith({ store })).toThrowError(
      expect.objectContaining({ code: 'ERR_SCIM_NAMESPACE_IN_USE' }),
    )
    const delivery = () => signDelivery(hire, { messageId: 'msg_kept' })
    await first.receive({ ...receive, ...delivery() })
    await first.close()
    const second = receiverWith({ store, onUserUpserted: () => {} })
    expect((await second.receive({ ...receive, ...delivery() })).outcome).toBe('duplicate')
  })
})

describe('operators', () => {
  test('forget lets a message run again, and forgetResource lets an older event be applied', async () => {
    let runs = 0
    const receiver = receiverWith({ onUserUpserted: () => void runs++ })
    const attempt = () => receiver.receive({ ...receive, ...signDelivery(hire, { messageId: 'msg_again' }) })
    await attempt()
    expect(await receiver.forget('msg_again')).toBe(true)
    expect(await receiver.forget('msg_again')).toBe(false)
    expect((await attempt()).outcome).toBe('processed')

    const older = sampleEvent('organization.directory.user_updated', { occurred_at: '2026-01-01T00:00:00Z' })
    expect((await receiver.receive({ ...receive, ...signDelivery(older) })).outcome).toBe('stale')
    const resource = { kind: 'user', organizationId: hire.organization_id, id: hire.data.id } as const
    expect(await receiver.forgetResource(resource)).toBe(true)
    expect((await receiver.receive({ ...receive, ...signDelivery(older) })).outcome).toBe('processed')
    expect(runs).toBe(3)
  })

  test.each([[''], [undefined], [null], [7], [{}]])('forget(%j) names the fix', async (wrong) => {
    const forgotten = receiverWith().forget(wrong as never)
    await expect(forgotten).rejects.toThrow(TypeError)
    await expect(forgotten).rejects.toThrow('pass the idempotency key')
  })

  test.each([
    [undefined],
    ['diruser_1'],
    [{}],
    [{ kind: 'person', organizationId: 'org_1', id: 'diruser_1' }],
    [{ kind: 'user', organizationId: '', id: 'diruser_1' }],
    [{ kind: 'user', organizationId: 'org_1' }],
    [{ kind: 'user', organization_id: 'org_1', id: 'diruser_1' }],
  ])('forgetResource(%j) names the fix', async (wrong) => {
    const forgotten = receiverWith().forgetResource(wrong as never)
    await expect(forgotten).rejects.toThrow(TypeError)
    await expect(forgotten).rejects.toThrow('pass { kind:')
  })

  test('without ordering, an older event also runs', async () => {
    const seen: string[] = []
    const receiver = receiverWith({
      ordering: 'none',
      onUserUpserted: (event) => void seen.push(event.occurred_at),
    })
    for (const minute of ['09:05', '09:00']) {
      const event = sampleEvent('organization.directory.user_updated', {
        occurred_at: `2026-11-23T${minute}:00Z`,
      })
      await receiver.receive({ ...receive, ...signDelivery(event) })
    }
    expect(seen).toEqual(['2026-11-23T09:05:00Z', '2026-11-23T09:00:00Z'])
  })
})

describe('a dispatcher', () => {
  test('a dispatcher passes the application’s events to the same handlers, once for each key', async () => {
    const seen: string[] = []
    const reports: OutcomeReport[] = []
    const dispatcher = createDispatcher({
      logger: false,
      onUserUpserted: (_event, ctx) => void seen.push(`${ctx.source} ${ctx.idempotencyKey}`),
      onOutcome: (report) => reports.push(report),
    })
    expect(await dispatcher.dispatch(hire, { idempotencyKey: 'import-1' })).toEqual({ outcome: 'processed' })
    expect(await dispatcher.dispatch(hire, { idempotencyKey: 'import-1' })).toEqual({ outcome: 'duplicate' })
    expect(seen).toEqual(['manual import-1'])
    expect(reports.map((report) => [report.source, report.outcome, report.type])).toEqual([
      ['manual', 'processed', hire.type],
      ['manual', 'duplicate', hire.type],
    ])
  })

  test('a dispatcher throws a TypeError for an unusable event', async () => {
    const dispatcher = createDispatcher({ logger: false, onEvent: () => {} })
    const broken = { ...hire, occurred_at: 'yesterday' }
    await expect(dispatcher.dispatch(broken)).rejects.toThrow(TypeError)
  })

  test('a dispatcher does not store messages of a sync, and newer events supersede them', async () => {
    const seen: string[] = []
    const dispatcher = createDispatcher({
      logger: false,
      onUserUpserted: (_event, ctx) => void seen.push(ctx.source),
    })
    const observedAt = await dispatcher.ledger.now()
    await sleep(5)
    const sync = { source: 'sync', idempotencyKey: 'pass-1', observedAt } as const
    expect((await dispatcher.dispatch(hire, sync)).outcome).toBe('processed')
    expect((await dispatcher.dispatch(hire, sync)).outcome).toBe('stale')
    expect(
      (await dispatcher.dispatch(hire, { ...sync, observedAt: await laterThan(dispatcher) })).outcome,
    ).toBe('processed')
    expect(seen).toEqual(['sync', 'sync'])
  })

  async function laterThan(dispatcher: ReturnType<typeof createDispatcher>): Promise<string> {
    await sleep(5)
    return dispatcher.ledger.now()
  }
})

describe('logs and reports', () => {
  test('logs and reports contain names, sizes and the stack of a handler’s error, but no personal data', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    onTestFinished(() => void vi.unstubAllEnvs())
    const log = recordingLogger()
    const reports: OutcomeReport[] = []
    const failure = new Error(`no seat for ${hire.data.email}`)
    const receiver = receiverWith({
      store: 'memory',
      logger: log,
      onOutcome: (report) => reports.push(report),
      onUserUpserted: () => {
        throw failure
      },
    })
    const delivery = signDelivery(hire, { messageId: 'msg_private' })
    await receiver.receive({ ...receive, ...delivery })
    await receiver.receive({
      ...receive,
      ...delivery,
      body: Buffer.from('{"email":"amelia.hart@example.com"}'),
    })
    await receiver.receive({
      ...receive,
      ...signDelivery({ ...hire, data: { ...hire.data, id: 7, active: 'yes' } }),
    })
    await receiver.receive({
      ...receive,
      ...signDelivery({ ...hire, data: { ...hire.data, email: { 'amelia.hart@example.com': 1 } } }),
    })
    for (const secret of [
      'amelia',
      'Hart',
      'no seat',
      TEST_SECRET.slice(6),
      delivery.headers['webhook-signature'],
    ]) {
      expect(log.text()).not.toContain(secret)
    }
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      fields: {
        outcome: 'handler-failed',
        messageId: 'msg_private',
        type: hire.type,
        resourceId: hire.data.id,
        organizationId: hire.organization_id,
        bodyBytes: delivery.body.length,
        errorName: 'Error',
        errorAt: expect.stringContaining('lifetime.test.ts'),
      },
    })
    expect(reports[0]).toMatchObject({ outcome: 'handler-failed', error: failure, source: 'webhook' })
  })

  test('a handler that finishes after its deadline is reported again, with its whole duration', async () => {
    const clock = createFakeClock()
    const reports: OutcomeReport[] = []
    const receiver = receiverWith({
      clock,
      onUserUpserted: () => new Promise<void>((resolve) => void clock.setTimeout(resolve, 12_000)),
      onOutcome: (report) => void reports.push(report),
    })
    void receiver.receive({ ...receive, ...signDelivery(hire, { at: new Date(clock.now()) }) })
    await clock.advance(15_000)
    expect(reports).toMatchObject([
      { outcome: 'deadline', durationMs: 9000 },
      { outcome: 'processed', durationMs: 12_000, late: true },
    ])
  })

  test('the log warns once of a field with an unexpected type, and the event passes', async () => {
    const log = recordingLogger()
    const seen: unknown[] = []
    const receiver = receiverWith({
      logger: log,
      onUserUpserted: (event) => void seen.push(event.data.title),
    })
    const odd = { ...hire, data: { ...hire.data, title: 7 } }
    await receiver.receive({ ...receive, ...signDelivery(odd) })
    await receiver.receive({ ...receive, ...signDelivery(odd) })
    expect(seen).toEqual([7, 7])
    expect(log.lines.filter((line) => line.level === 'warn').map((line) => line.fields)).toEqual([
      { type: hire.type, field: 'data.title: invalid_type' },
    ])
  })

  test('errors of onOutcome or the logger do not change the reply', async () => {
    const boom = () => {
      throw new Error('metrics away')
    }
    const receiver = receiverWith({
      logger: { info: boom, warn: boom, error: boom },
      onOutcome: boom,
      onUserUpserted: () => {},
    })
    expect((await receiver.receive({ ...receive, ...signDelivery(hire) })).outcome).toBe('processed')
  })
})
