import { randomUUID } from 'node:crypto'
import KeyvPostgres from '@keyv/postgres'
import { createReceiver, type Receiver, type ReceiverOptions } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import Keyv from 'keyv'
import { afterAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { cutProxy } from '../support/cut-proxy.ts'
import { skippedFor } from '../support/postgres.ts'
import { PostgresServer } from '../support/postgres-server.ts'

// Each test causes one fault on a server of this file. Leases are long, so that a test detects a claim that was not
// released.

const server = await PostgresServer.start()
if (!server) skippedFor('PostgreSQL is not installed, so its faults are not tested')
afterAll(() => server?.remove())

describe.skipIf(!server)('PostgreSQL', () => {
  if (!server) return
  const namespace = randomUUID()

  /** An application with an unchanged adapter: no error listener, and connections that idle for 10 s. */
  function application({ uri = server?.uri ?? '', max = 10, ...options }: Application = {}): Receiver {
    const store = options.store ?? new Keyv(new KeyvPostgres({ uri, max }))
    const receiver = createReceiver({
      secret: TEST_SECRET,
      logger: false,
      namespace,
      leaseSeconds: 120,
      storeTimeoutSeconds: 1,
      deadlineSeconds: 5,
      onUserUpserted: () => {},
      ...options,
      store,
    })
    onTestFinished(() => receiver.close({ graceSeconds: 0.1 }))
    return receiver
  }

  beforeEach(async () => {
    expect(await outcomeOf(application(), someDelivery())).toBe('processed')
  })

  test('if the server is down at start, events are answered 503 until it starts', async () => {
    await server.stop()
    const receiver = application()
    const delivery = someDelivery()
    expect(await outcomeOf(receiver, delivery)).toBe('store-unavailable')
    await server.start()
    expect(await outcomeOf(receiver, delivery)).toBe('processed')
    expect(await outcomeOf(application(), delivery)).toBe('duplicate')
  })

  test("if the server stops while the adapter's first connection is dropped, the process continues", async () => {
    const fields = Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0')
    const head = Buffer.from('E\0\0\0\0')
    head.writeInt32BE(fields.length + 4, 1)
    const proxy = await cutProxy(server.port, { answerToGoodbye: Buffer.concat([head, fields]) })
    const uncaught = uncaughtErrors()
    const receiver = application({ uri: server.uri.replace(`:${server.port}`, `:${proxy.port}`) })
    expect(await outcomeOf(receiver, someDelivery())).toBe('processed')
    await until(async () => expect(await foreignConnections(server)).toBe(0))
    expect(uncaught).toEqual([])
  })

  test.each(['fast', 'immediate'] as const)(
    'if the server is stopped (%s) and started under use, done messages stay done',
    async (how) => {
      const receiver = application()
      const [before, during] = [someDelivery(), someDelivery()]
      expect(await outcomeOf(receiver, before)).toBe('processed')
      await server.stop(how)
      expect(await outcomeOf(receiver, before)).toBe('store-unavailable')
      expect(await outcomeOf(receiver, during)).toBe('store-unavailable')
      await server.start()
      expect(await outcomeOf(receiver, during)).toBe('processed')
      expect(await outcomeOf(receiver, before)).toBe('duplicate')
    },
  )

  test('if the server stops before a commit, the event is answered 2xx, and recorded when the server starts', async () => {
    const receiver = application({ onUserUpserted: () => server.stop() })
    const delivery = someDelivery()
    expect(await outcomeOf(receiver, delivery)).toBe('processed')
    expect(await outcomeOf(receiver, delivery), 'this process knows the pending commit').toBe('duplicate')
    await server.start()
    await becomes(application(), delivery, 'duplicate')
  })

  test('while the server is frozen, events are answered 503, and a late claim is released', async () => {
    let runs = 0
    const receiver = application({ onUserUpserted: () => void runs++ })
    await outcomeOf(receiver, someDelivery())
    runs = 0
    const delivery = someDelivery()
    server.freeze()
    try {
      expect(await outcomeOf(receiver, delivery)).toBe('store-unavailable')
    } finally {
      server.thaw()
    }
    expect(await outcomeOf(application(), delivery)).toBe('processed')
    expect(runs).toBe(0)
  })

  test('while the server is frozen, a burst is refused, and leaves no claim behind', async () => {
    const receiver = application({ max: 3 })
    const deliveries = Array.from({ length: 20 }, someDelivery)
    await outcomeOf(receiver, someDelivery())
    server.freeze()
    try {
      const refused = await Promise.all(deliveries.map((delivery) => outcomeOf(receiver, delivery)))
      expect(new Set(refused)).toEqual(new Set(['store-unavailable']))
    } finally {
      server.thaw()
    }
    const next = application()
    for (const delivery of deliveries) expect(await outcomeOf(next, delivery)).toBe('processed')
  })

  test('if the server freezes before a commit, the event is answered 2xx, and recorded when the server continues', async () => {
    const receiver = application({ onUserUpserted: () => server.freeze() })
    const delivery = someDelivery()
    try {
      expect(await outcomeOf(receiver, delivery)).toBe('processed')
    } finally {
      server.thaw()
    }
    await becomes(application(), delivery, 'duplicate')
  })

  test('while the database is read-only, events are answered 503', async () => {
    const receiver = application()
    await outcomeOf(receiver, someDelivery())
    const delivery = someDelivery()
    await readOnly(server, 'on')
    try {
      await becomes(receiver, someDelivery, 'store-unavailable')
      expect(await outcomeOf(receiver, delivery)).toBe('store-unavailable')
    } finally {
      await readOnly(server, 'off')
    }
    await becomes(receiver, delivery, 'processed')
  })

  test('if the connection ends during a begin, the event is answered 503, and the retry runs', async () => {
    const receiver = application()
    const delivery = someDelivery()
    const messageId = delivery.headers['webhook-id']
    const key = `hashtextextended('${namespace} m ${messageId}', 0)`
    const held = server.sql(`BEGIN; SELECT pg_advisory_xact_lock(${key}); SELECT pg_sleep(2); COMMIT`)
    await until(async () => expect(await waitingCalls(server, 'pg_sleep')).toBe(1))
    const attempt = outcomeOf(application({ storeTimeoutSeconds: 4, leaseSeconds: 60 }), delivery)
    await until(async () => expect(await waitingCalls(server, 'begin_v1')).toBe(1))
    await server.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%begin_v1%' AND pid <> pg_backend_pid()`,
    )
    expect(await attempt).toBe('store-unavailable')
    await held
    expect(await outcomeOf(receiver, delivery)).toBe('processed')
  })

  test('a begin whose answer was lost is released', async () => {
    const proxy = await cutProxy(server.port)
    const receiver = application({ uri: server.uri.replace(`:${server.port}`, `:${proxy.port}`) })
    await outcomeOf(receiver, someDelivery())
    const delivery = someDelivery()
    proxy.loseNextAnswer()
    expect(await outcomeOf(receiver, delivery)).toBe('store-unavailable')
    expect(await outcomeOf(application(), delivery)).toBe('processed')
  })

  test('a commit whose answer was lost is answered 2xx, and is a duplicate for other processes', async () => {
    const proxy = await cutProxy(server.port)
    const receiver = application({
      uri: server.uri.replace(`:${server.port}`, `:${proxy.port}`),
      onUserUpserted: () => proxy.loseNextAnswer(),
    })
    const delivery = someDelivery()
    expect(await outcomeOf(receiver, delivery)).toBe('processed')
    expect(await outcomeOf(application(), delivery)).toBe('duplicate')
  })

  test('without a free connection on the server, events are answered 503', async () => {
    await server.stop()
    await server.start({ max_connections: '8', superuser_reserved_connections: '0' })
    const others = Array.from({ length: 8 }, () => connectionHeld(server))
    await until(async () => expect(await server.sql('SELECT 1').catch(String)).toContain('too many clients'))
    const receiver = application()
    const delivery = someDelivery()
    expect(await outcomeOf(receiver, delivery)).toBe('store-unavailable')
    await server.stop()
    await Promise.all(others)
    await server.start()
    expect(await outcomeOf(receiver, delivery)).toBe('processed')
  })

  test('while the application uses the whole pool, events are answered 503', async () => {
    const adapter = new KeyvPostgres({ uri: server.uri, max: 2 })
    const receiver = application({ store: new Keyv(adapter) })
    const delivery = someDelivery()
    const slow = [adapter.query('SELECT pg_sleep(3)'), adapter.query('SELECT pg_sleep(3)')]
    await until(async () => expect(await waitingCalls(server, 'pg_sleep')).toBe(2))
    expect(await outcomeOf(receiver, delivery)).toBe('store-unavailable')
    await Promise.all(slow)
    expect(await outcomeOf(receiver, delivery)).toBe('processed')
  })
})

type Application = ReceiverOptions & { uri?: string; max?: number }
type Delivery = ReturnType<typeof someDelivery>

function someDelivery() {
  const event = sampleEvent('organization.directory.user_updated', {
    data: { id: `diruser_${randomUUID()}` },
  })
  return signDelivery(event)
}

async function outcomeOf(receiver: Receiver, delivery: Delivery): Promise<string> {
  const { outcome, status } = await receiver.receive({ url: '/webhooks/scalekit', ...delivery })
  if (outcome === 'store-unavailable') expect(status).toBe(503)
  return outcome
}

async function becomes(
  receiver: Receiver,
  delivery: Delivery | (() => Delivery),
  outcome: string,
): Promise<void> {
  const ask = async () =>
    expect(await outcomeOf(receiver, typeof delivery === 'function' ? delivery() : delivery)).toBe(outcome)
  await until(ask)
}

async function until(holds: () => Promise<void>): Promise<void> {
  await vi.waitFor(holds, { timeout: 20_000, interval: 100 })
}

/** Occupies one of the server's connections until the server stops. */
async function connectionHeld(server: PostgresServer): Promise<void> {
  for (;;) {
    const failure = await server.sql('SELECT pg_sleep(60)').then(() => '', String)
    if (!failure.includes('too many clients')) return
  }
}

async function readOnly(server: PostgresServer, value: 'on' | 'off'): Promise<void> {
  await server.sql(`ALTER SYSTEM SET default_transaction_read_only = ${value}`)
  await server.sql('SELECT pg_reload_conf()')
}

/** Returns the connections of the adapter's own pool. The ledger's connections have a name. */
async function foreignConnections(server: PostgresServer): Promise<number> {
  return Number(
    await server.sql(
      `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name NOT IN ('scalekit-scim', 'psql')`,
    ),
  )
}

/** Collects the errors that would have ended the process, from now on in this test. */
function uncaughtErrors(): unknown[] {
  const uncaught: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => uncaught.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
  })
  return uncaught
}

async function waitingCalls(server: PostgresServer, text: string): Promise<number> {
  return Number(
    await server.sql(
      `SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%${text}%' AND pid <> pg_backend_pid()`,
    ),
  )
}
