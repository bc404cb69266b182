import { randomUUID } from 'node:crypto'
import { type Dispatcher, type Ledger, postgresLedgerSchema } from '@scalekit-scim/core'
import { createFakeClock, ledgerConformance, type OpenInstance } from '@scalekit-scim/core/testing'
import Keyv6 from 'keyv6'
import { describe, expect, test, vi } from 'vitest'
import { sweepStatement } from '../../packages/core/src/ledger/postgres/schema.ts'
import { recordingLogger } from '../support/log.ts'
import {
  adapterOn,
  freshRole,
  freshSchema,
  instancesOn,
  reachablePostgres,
  skewedClock,
  sqlOn,
  transactionOn,
} from '../support/postgres.ts'

const reachable = await reachablePostgres()
const postgresUri = reachable ?? ''
const schema = reachable ? await freshSchema(postgresUri) : ''
const sql = sqlOn(postgresUri)
const instances = instancesOn(postgresUri, { schema })

/** The tests use five instances with a correct clock in rotation, and one instance for each wrong clock. */
function inTurn(openOne: (skewMs: number) => Dispatcher): (instance: OpenInstance) => Ledger {
  const opened = new Map<string, Dispatcher>()
  let turn = 0
  return ({ skewMs }) => {
    const key = skewMs === 0 ? `correct ${turn++ % 5}` : String(skewMs)
    const dispatcher = opened.get(key) ?? openOne(skewMs)
    opened.set(key, dispatcher)
    return dispatcher.ledger
  }
}

describe.skipIf(!reachable)('PostgreSQL', () => {
  describe('the contract of a ledger, @keyv/postgres in Keyv 5', () => {
    const open = inTurn((skewMs) => instances.open({ clock: skewedClock(skewMs) }))
    for (const { name, run } of ledgerConformance(open, { atomic: true })) test.concurrent(name, run)
  })

  describe('the contract of a ledger, @keyv/postgres in Keyv 6', () => {
    const open = inTurn((skewMs) => {
      const store = new Keyv6({ store: adapterOn(postgresUri, { schema }) })
      return instances.open({ clock: skewedClock(skewMs), store })
    })
    for (const { name, run } of ledgerConformance(open, { atomic: true })) test.concurrent(name, run)
  })

  test('the guarantee of PostgreSQL is atomic, for messages and for order', () => {
    const { guarantee } = instances.open({ requireGuarantee: 'atomic' })
    expect(guarantee).toEqual({ message: 'atomic', order: 'atomic' })
  })

  test('ids that are too long for an index are distinct', async () => {
    const { ledger } = instances.open()
    const long = `${'中'.repeat(5000)}${randomUUID()}`
    const request = (id: string) => ({ token: randomUUID(), messageId: id, resource: id, leaseSeconds: 60 })
    expect((await ledger.begin(request(`${long}a`))).state).toBe('begun')
    expect((await ledger.begin(request(`${long}b`))).state).toBe('begun')
    expect((await ledger.begin(request(`${long}a`))).state).toBe('in-flight')
  })

  test('a named statement that the server does not have, as behind a pooler, is sent without its name', async () => {
    const adapter = adapterOn(postgresUri, { schema, max: 1 })
    const { ledger } = instances.open({ store: new Keyv6({ store: adapter }) })
    await ledger.now()
    await adapter.query('DEALLOCATE ALL')
    expect(await ledger.now()).toMatch(/^\d{19}$/)
  })

  describe('two begins at the same moment', () => {
    // Both begins wait at the write for a row of another transaction. That transaction rolls back.
    test.each([
      ['one of two begins of one message is begun, and one is in flight', 'messages', 'in-flight'],
      ['one of two begins of one resource is begun, and one is busy', 'resources', 'busy'],
    ])('%s', async (_, table, other) => {
      const [own, holder, request] = [await preparedSchema(), transactionOn(postgresUri), someRequest()]
      const pair = instancesOn(postgresUri, { schema: own })
      const key = table === 'messages' ? request.messageId : request.resource
      await holder('BEGIN')
      await holder(
        table === 'messages'
          ? `INSERT INTO ${own}.scalekit_scim_messages VALUES ($1, $2, 't', false, now())`
          : `INSERT INTO ${own}.scalekit_scim_resources (namespace, id, fence, expires_at) VALUES ($1, $2, 1, now())`,
        [pair.namespace, key],
      )
      const second = { ...someRequest(), ...(table === 'messages' ? { messageId: key } : { resource: key }) }
      const answers = [request, second].map((each) =>
        pair.open({ storeTimeoutSeconds: 5 }).ledger.begin(each),
      )
      await becomes(2, () => waitingBegins(own))
      await holder('ROLLBACK')
      const states = (await Promise.all(answers)).map(({ state }) => state)
      expect(states.sort()).toEqual(['begun', other].sort())
    })

    test('a lease begins when the claim is written, not when it was requested', async () => {
      const [own, holder, request] = [await preparedSchema(), transactionOn(postgresUri), someRequest()]
      const pair = instancesOn(postgresUri, { schema: own })
      await holder('BEGIN')
      await holder(`SELECT ${own}.scalekit_scim_lock_v1($1, $2, $3)`, [
        pair.namespace,
        request.messageId,
        request.resource,
      ])
      const { ledger } = pair.open({ storeTimeoutSeconds: 5 })
      const waited = ledger.begin({ ...request, leaseSeconds: 2 })
      await becomes(1, () => waitingBegins(own))
      await holder('SELECT pg_sleep(2.1)')
      await holder('COMMIT')
      expect((await waited).state).toBe('begun')
      expect((await ledger.begin({ ...request, token: randomUUID() })).state).toBe('in-flight')
    })
  })

  describe('tables and functions', () => {
    test('if many instances start together, tables and functions are created once', async () => {
      const empty = instancesOn(postgresUri, { schema: await freshSchema(postgresUri) })
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => empty.open({ storeTimeoutSeconds: 5 }).ledger.begin(someRequest())),
      )
      expect(answers.map(({ state }) => state)).toEqual(Array(12).fill('begun'))
    })

    test('an account that may not create tables can use the tables of an administrator', async () => {
      const { role, uri } = await freshRole(postgresUri)
      const prepared = await freshSchema(postgresUri, role)
      await sql(postgresLedgerSchema(prepared))
      await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${prepared} TO ${role}`)
      const clock = createFakeClock()
      const { ledger } = instancesOn(uri, { schema: prepared }).open({ clock })
      const request = someRequest()
      const answer = await ledger.begin(request)
      if (answer.state !== 'begun') throw new Error(answer.state)
      const claim = { ...request, ...answer, deletion: false }
      expect(await ledger.renew(claim, 60)).toBe(true)
      expect(await ledger.commit(claim, keep)).toBe('ok')
      expect(await ledger.forget(request.messageId)).toBe(true)
      expect(await ledger.forgetResource(request.resource)).toBe(true)
      expect(await ledger.record('r').compareAndSet(undefined, 'a', 60)).toBe(true)
      expect(await ledger.record('r').read()).toBe('a')
      await sql(`UPDATE ${prepared}.scalekit_scim_records SET expires_at = now() - interval '1 s'`)
      await clock.advance(60_000)
      await becomes(0, () => rowsOf(prepared, 'records'))
    })

    test('missing tables that cannot be created are explained in the log, and work when they are created later', async () => {
      const { role, uri } = await freshRole(postgresUri)
      const bare = await freshSchema(postgresUri, role)
      const logger = recordingLogger()
      const { ledger } = instancesOn(uri, { schema: bare }).open({ logger })
      await expect(ledger.begin(someRequest())).rejects.toThrow('PostgreSQL failed (42501)')
      await expect(ledger.now()).rejects.toThrow()
      const errors = logger.lines.filter(({ level }) => level === 'error')
      expect(errors).toHaveLength(1)
      expect(errors[0]?.message).toContain('postgresLedgerSchema()')

      await sql(postgresLedgerSchema(bare))
      await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${bare} TO ${role}`)
      expect((await ledger.begin(someRequest())).state).toBe('begun')
    })

    test('dropped tables and functions are created again', async () => {
      const own = await freshSchema(postgresUri)
      const { ledger } = instancesOn(postgresUri, { schema: own }).open()
      await ledger.begin(someRequest())
      await sql(`DROP TABLE ${own}.scalekit_scim_messages`)
      expect((await ledger.begin(someRequest())).state).toBe('begun')
      await sql(`DROP SCHEMA ${own} CASCADE`)
      expect((await ledger.begin(someRequest())).state).toBe('begun')
    })
  })

  describe('the sweep', () => {
    test('the sweep removes only expired rows', async () => {
      const own = await preparedSchema()
      await seed(own, 1300, "now() - interval '1 s'")
      await seed(own, 7, "now() + interval '1 h'")
      const clock = createFakeClock()
      instancesOn(postgresUri, { schema: own }).open({ clock })
      await vi.waitFor(
        async () => {
          await clock.advance(60_000)
          const left = [await rowsOf(own, 'messages'), await rowsOf(own, 'resources')]
          expect(left).toEqual([7, 7])
        },
        { timeout: 10_000 },
      )
    })

    test('the sweep does not wait for a row that another transaction has locked', async () => {
      const own = await preparedSchema()
      await seed(own, 10, "now() - interval '1 s'")
      const holder = transactionOn(postgresUri)
      await holder('BEGIN')
      await holder(`SELECT FROM ${own}.scalekit_scim_messages WHERE id = '3' FOR UPDATE`)
      expect(await sql(sweepStatement(own, 'messages', 500))).toEqual([{ answer: 9 }])
      await holder('COMMIT')
      expect(await sql(sweepStatement(own, 'messages', 500))).toEqual([{ answer: 1 }])
    })

    test('the sweep finds expired rows by the index, without reading the table', async () => {
      const own = await preparedSchema()
      await seed(own, 20_000, "now() + interval '1 h' * (n - 2000)")
      await sql(`ANALYZE ${own}.scalekit_scim_messages`)
      const plan = JSON.stringify(await sql(`EXPLAIN (FORMAT JSON) ${sweepStatement(own, 'messages', 500)}`))
      expect(plan).toContain('"Index Name":"scalekit_scim_messages_expiry"')
      expect(plan).not.toContain('Seq Scan')
    })
  })

  test.each(['repeatable read', 'serializable'])(
    'with isolation %s, no message is begun, and the log has the fix',
    async (isolation) => {
      const { role, uri } = await freshRole(postgresUri)
      await sql(`ALTER ROLE ${role} SET default_transaction_isolation = '${isolation}'`)
      const own = await freshSchema(postgresUri, role)
      await sql(postgresLedgerSchema(own))
      await sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${own} TO ${role}`)
      const logger = recordingLogger()
      const { ledger } = instancesOn(uri, { schema: own }).open({ logger })
      await expect(ledger.begin(someRequest())).rejects.toThrow('PostgreSQL failed (SCIM1)')
      expect(logger.text()).toContain("ALTER ROLE … SET default_transaction_isolation = 'read committed'")
    },
  )
})

const keep = { retentionSeconds: 60, watermarkRetentionSeconds: 60 }

function someRequest() {
  return { token: randomUUID(), messageId: randomUUID(), resource: randomUUID(), leaseSeconds: 60 }
}

async function preparedSchema(): Promise<string> {
  const own = await freshSchema(postgresUri)
  await sql(postgresLedgerSchema(own))
  return own
}

async function becomes(expected: number, ask: () => Promise<unknown>): Promise<void> {
  await vi.waitFor(async () => expect(await ask()).toBe(expected), { timeout: 10_000 })
}

async function waitingBegins(schema: string): Promise<unknown> {
  const [row] = await sql(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1`,
    [`%${schema}.scalekit_scim_begin_v1%`],
  )
  return row?.count
}

async function seed(schema: string, count: number, expiresAt: string): Promise<void> {
  const namespace = randomUUID()
  await sql(
    `INSERT INTO ${schema}.scalekit_scim_messages (namespace, id, token, done, expires_at)
      SELECT $1, n::text, 't', true, ${expiresAt} FROM generate_series(1, $2::int) n`,
    [namespace, count],
  )
  await sql(
    `INSERT INTO ${schema}.scalekit_scim_resources (namespace, id, fence, expires_at)
      SELECT $1, n::text, 1, ${expiresAt} FROM generate_series(1, $2::int) n`,
    [namespace, count],
  )
}

async function rowsOf(schema: string, table: string): Promise<unknown> {
  const [row] = await sql(`SELECT count(*)::int AS count FROM ${schema}.scalekit_scim_${table}`)
  return row?.count
}
