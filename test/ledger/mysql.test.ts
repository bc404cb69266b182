import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import KeyvMysql from '@keyv/mysql'
import {
  createDispatcher,
  createReceiver,
  type DispatcherOptions,
  type Receiver,
  type ReceiverOptions,
} from '@scalekit-scim/core'
import {
  createFakeClock,
  ledgerConformance,
  sampleEvent,
  signDelivery,
  TEST_SECRET,
} from '@scalekit-scim/core/testing'
import Keyv from 'keyv'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { mysqlSchema } from '../../packages/core/src/ledger/compare-and-set/mysql.ts'
import { recordingLogger } from '../support/log.ts'
import { mariadbServer } from '../support/mariadb-server.ts'
import { skewedClock } from '../support/skewed-clock.ts'

const host = '127.0.0.1'
const uri = `mysql://root@${host}:3306/test`
const answers = await new Promise<boolean>((resolve) => {
  const socket = connect(3306, host, () => resolve(true)).on('error', () => resolve(false))
  socket.on('close', () => socket.destroy()).setTimeout(1000, () => socket.destroy())
})
const own = await mariadbServer()
afterAll(() => own?.remove())

const whyNot = answers ? '' : ` (skipped: no MariaDB answers on ${host}:3306)`
const whyNoOwnServer = own ? '' : ' (skipped: no mariadbd on the PATH)'
for (const reason of [whyNot, whyNoOwnServer]) if (reason) console.warn(`MySQL ledger${reason}`)

/** Returns the rows of a query, because the adapter's queries have no types for their results. */
async function rowsOf(adapter: KeyvMysql, sql: string): Promise<Record<string, unknown>[]> {
  const rows: unknown = await adapter.query(sql)
  if (!Array.isArray(rows)) throw new Error('no rows')
  return rows
}

const storeOn = (uri: string) => new Keyv({ store: new KeyvMysql(uri) })
const namespace = `test-${randomUUID()}`

function openLedger(options: DispatcherOptions = {}) {
  return createDispatcher({
    store: storeOn(uri),
    namespace,
    logger: false,
    storeTimeoutSeconds: 5,
    onEvent: () => {},
    ...options,
  }).ledger
}

describe.skipIf(!answers)(`on MariaDB${whyNot}`, () => {
  // The query string creates a separate pool, so that the locks of this test do not block other tests.
  const admin = () => new KeyvMysql({ uri: `${uri}?admin`, connectionLimit: 1 })

  describe('the contract of a ledger', () => {
    const open = ({ skewMs }: { skewMs: number }) => openLedger({ clock: skewedClock(skewMs) })
    for (const { name, run } of ledgerConformance(open, { atomic: true })) test(name, run)
  })

  test('the guarantee is atomic over processes', () => {
    expect(openLedger({ requireGuarantee: 'atomic' }).guarantee).toEqual({
      message: 'atomic',
      order: 'atomic',
    })
  })

  test('ids that differ in case, in accents or after the 255th character are distinct', async () => {
    const ledger = openLedger({ namespace: `test-${randomUUID()}` })
    const long = 'x'.repeat(500)
    for (const messageId of ['a', 'A', 'ä', 'a ', `${long}1`, `${long}2`]) {
      const answer = await ledger.begin({ token: 't', messageId, resource: messageId, leaseSeconds: 60 })
      expect(answer.state, messageId.slice(0, 3)).toBe('begun')
    }
  })

  test('no statement scans the table', async () => {
    const adapter = new KeyvMysql(uri)
    const statements = new Set<string>()
    const query = adapter.query.bind(adapter)
    adapter.query = (sql: string) => {
      statements.add(sql)
      return query(sql)
    }
    const ledger = openLedger({ store: new Keyv({ store: adapter }), namespace: `test-${randomUUID()}` })
    for (let index = 0; index < 200; index++) {
      await ledger.begin({ token: 't', messageId: `m${index}`, leaseSeconds: 60 })
    }
    statements.clear()
    await ledger.begin({ token: 't', messageId: 'm', resource: 'r', leaseSeconds: 60 })
    await ledger.begin({ token: 't', messageId: 'm', resource: 'r', leaseSeconds: 60 })
    await ledger.forget('m')
    const ours = [...statements].filter((sql) => /^(SELECT|UPDATE|DELETE)/.test(sql.trim()))
    expect(ours.length).toBeGreaterThanOrEqual(3)
    for (const sql of ours) {
      const plan = await rowsOf(adapter, `EXPLAIN FORMAT=TRADITIONAL ${sql}`)
      for (const { table, type } of plan) {
        if (['t', 'a', 'b', 'scalekit_scim_ledger'].includes(String(table))) {
          expect(['const', 'eq_ref', 'ref', 'range'], sql).toContain(type)
        }
      }
    }
    const [plan] = await rowsOf(
      adapter,
      'EXPLAIN FORMAT=TRADITIONAL DELETE FROM scalekit_scim_ledger WHERE expires_ms <= 1 ORDER BY expires_ms LIMIT 500',
    )
    expect(plan).toMatchObject({ key: 'scalekit_scim_ledger_expiry', type: 'range' })
  })

  /** An adapter with statements that fail, either before or after they have run. */
  function failing(
    fails: (sql: string) => 'before' | 'after' | undefined,
    code = 'PROTOCOL_CONNECTION_LOST',
  ) {
    const adapter = new KeyvMysql(uri)
    const query = adapter.query.bind(adapter)
    const asked: string[] = []
    adapter.query = async (sql: string) => {
      asked.push(sql)
      const lost = Object.assign(new Error('lost'), { code })
      const when = fails(sql)
      if (when === 'before') throw lost
      const answer: unknown = await query(sql)
      if (when === 'after') throw lost
      return answer as never
    }
    return { store: new Keyv({ store: adapter }), asked }
  }

  test('a begin that was written is released if its answer was lost', async () => {
    let failed = 0
    const { store } = failing((sql) => {
      return sql.trim().startsWith('INSERT') && failed++ === 0 ? 'after' : undefined
    })
    const request = { messageId: randomUUID(), resource: randomUUID(), leaseSeconds: 600 }
    await expect(openLedger({ store }).begin({ ...request, token: 'a' })).rejects.toMatchObject({
      name: 'StoreUnavailableError',
    })
    const other = openLedger({ namespace })
    await expect.poll(async () => (await other.begin({ ...request, token: 'b' })).state).toBe('begun')
  })

  test.each([
    ['failed in its read', 'SELECT', 'PROTOCOL_CONNECTION_LOST'],
    ['was not sent because too many wait for an answer', 'INSERT', 'TOO_MANY'],
  ])('a begin that %s is not released, because nothing was written', async (_what, verb, code) => {
    const clock = createFakeClock()
    const { store, asked } = failing((sql) => (sql.trim().startsWith(verb) ? 'before' : undefined), code)
    const reads = () => asked.filter((sql) => sql.includes('scalekit_scim_ledger AS t')).length
    const ledger = openLedger({ store, clock })
    const request = { token: 'a', messageId: randomUUID(), leaseSeconds: 600 }
    await expect(ledger.begin(request)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
    expect(reads()).toBe(1)
    await clock.advance(5000)
    expect(reads()).toBe(1)
  })

  test('an account that may not create the table gets 503 and a hint in the log, and works after the table is created', async () => {
    const database = `scim_${randomUUID().replaceAll('-', '')}`
    const account = `u${database.slice(-12)}`
    const root = admin()
    await root.query(`CREATE DATABASE ${database}`)
    await root.query(`CREATE TABLE ${database}.keyv (id VARCHAR(255) PRIMARY KEY, value TEXT)`)
    await root.query(`CREATE USER ${account}@'%' IDENTIFIED BY 'secret'`)
    await root.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${database}.* TO ${account}@'%'`)
    // The adapter creates its own table at the start, and fails if the account does not have the right.
    await root.query(`GRANT CREATE ON ${database}.keyv TO ${account}@'%'`)
    try {
      const log = recordingLogger()
      const store = storeOn(`mysql://${account}:secret@${host}:3306/${database}`)
      const { ledger } = createDispatcher({ store, logger: log, onEvent: () => {} })
      const request = { token: 't', messageId: 'm', leaseSeconds: 60 }
      await expect(ledger.begin(request)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
      expect(log.text()).toContain('If the table is missing, also CREATE')
      expect(log.text()).not.toContain('secret')
      await root.query(mysqlSchema[0].replace('scalekit_scim_ledger', `${database}.scalekit_scim_ledger`))
      expect((await ledger.begin(request)).state).toBe('begun')
    } finally {
      await root.query(`DROP DATABASE ${database}`)
      await root.query(`DROP USER ${account}@'%'`)
    }
  })
})

describe.skipIf(!own)(`faults of a separate server${whyNoOwnServer}`, () => {
  if (!own) return
  const hire = sampleEvent('organization.directory.user_created')
  const open: Receiver[] = []
  const receiverOn = (options: ReceiverOptions = {}) => {
    const log = recordingLogger()
    const runs: string[] = []
    const receiver = createReceiver({
      secret: TEST_SECRET,
      store: storeOn(own.uri),
      logger: log,
      storeTimeoutSeconds: 0.5,
      // The lease is long, so that only a released claim can be begun again.
      leaseSeconds: 600,
      onUserCreated: (_event, { idempotencyKey }) => void runs.push(idempotencyKey),
      ...options,
    })
    open.push(receiver)
    return { receiver, log, runs }
  }
  const deliver = async (receiver: Receiver, messageId: string) => {
    const { id } = hire.data
    const event = { ...hire, data: { ...hire.data, id: `${id}-${messageId}` } }
    return receiver.receive({ url: '/', ...signDelivery(event, { messageId }) })
  }
  const eventually = (receiver: Receiver, messageId: string) =>
    expect
      .poll(async () => (await deliver(receiver, messageId)).status, { timeout: 20_000 })
      .toBeLessThan(300)
  const admin = () => new KeyvMysql({ uri: `${own.uri}?admin=${randomUUID()}`, connectionLimit: 1 })

  const downAtStart: { before?: number; after?: number; runs?: string[] } = {}
  beforeAll(async () => {
    const { receiver, runs } = receiverOn()
    downAtStart.before = (await deliver(receiver, 'down')).status
    await own.start()
    for (let tries = 0; tries < 20 && downAtStart.after !== 201; tries++) {
      downAtStart.after = (await deliver(receiver, 'down')).status
    }
    downAtStart.runs = runs
  }, 60_000)
  afterEach(async () => {
    for (const receiver of open.splice(0)) await receiver.close()
  })

  test('an adapter that never connected works when the server starts', () => {
    expect(downAtStart).toEqual({ before: 503, after: 201, runs: ['down'] })
  })

  test.each(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'])(
    'with isolation %s, one of many instances gets the message, and one gets the turn',
    async (level) => {
      await admin().query(`SET GLOBAL TRANSACTION ISOLATION LEVEL ${level}`)
      const adapter = new KeyvMysql({ uri: `${own.uri}?${level}`, connectionLimit: 20 })
      const [variable] = await rowsOf(
        adapter,
        "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
      )
      expect(variable?.Value).toBe(level.replace(' ', '-'))
      const { receiver } = receiverOn({ store: new Keyv({ store: adapter }), storeTimeoutSeconds: 5 })
      const { ledger } = receiver
      const claims = 20
      for (let round = 0; round < 10; round++) {
        const begin = (messageId: string, resource: string, index: number) =>
          ledger.begin({
            token: `${level}${round}.${index}`,
            messageId: `${level}${round}.${messageId}`,
            resource: `${level}${round}.${resource}`,
            leaseSeconds: 60,
          })
        const copies = Array.from({ length: claims }, (_, index) => begin('same', 'one', index))
        const rivals = Array.from({ length: claims }, (_, index) => begin(`other${index}`, 'two', index))
        for (const answers of [await Promise.all(copies), await Promise.all(rivals)]) {
          expect(answers.filter(({ state }) => state === 'begun').length).toBe(1)
        }
      }
    },
  )

  test('while the server is frozen, a begin is answered 503, and no claim is left over', async () => {
    const { receiver, runs } = receiverOn()
    expect((await deliver(receiver, 'f1')).status).toBe(201)
    own.freeze()
    const replies = await Promise.all(['f2', 'f3', 'f4'].map((messageId) => deliver(receiver, messageId)))
    expect(replies.map(({ status }) => status)).toEqual([503, 503, 503])
    own.thaw()
    for (const messageId of ['f2', 'f3', 'f4']) await eventually(receiver, messageId)
    expect(runs.sort()).toEqual(['f1', 'f2', 'f3', 'f4'])
  })

  test('while the server is frozen under load, late begins are not written, and the next event soon works', async () => {
    const adapter = new KeyvMysql(own.uri)
    const query = adapter.query.bind(adapter)
    const writes: string[] = []
    adapter.query = (sql: string) => {
      if (/^(INSERT|UPDATE)/.test(sql)) writes.push(sql)
      return query(sql)
    }
    const { receiver, runs } = receiverOn({ store: new Keyv({ store: adapter }) })
    expect((await deliver(receiver, 'calm')).status).toBe(201)
    writes.length = 0
    own.freeze()
    // The number is over the limit of waiting statements.
    const storm = Array.from({ length: 1500 }, (_, index) => deliver(receiver, `storm${index}`))
    const statuses = new Set((await Promise.all(storm)).map(({ status }) => status))
    own.thaw()
    expect(statuses).toEqual(new Set([503]))
    await eventually(receiver, 'after')
    // The event needs one begin and one commit. A busy machine may need some retries.
    expect(writes.length).toBeLessThan(50)
    const [left] = await rowsOf(
      adapter,
      "SELECT COUNT(*) AS n FROM scalekit_scim_ledger WHERE name LIKE '%storm%'",
    )
    expect(left).toEqual({ n: 0 })
    expect(runs).toEqual(['calm', 'after'])
  })

  test('if the server freezes at the commit, the event is answered 2xx, and recorded later', async () => {
    const { receiver } = receiverOn({ onUserCreated: () => own.freeze() })
    expect((await deliver(receiver, 'c1')).status).toBe(201)
    own.thaw()
    await receiver.close()
    const other = receiverOn()
    expect((await deliver(other.receiver, 'c1')).outcome).toBe('duplicate')
    expect(other.runs).toEqual([])
  })

  test('if a connection is lost during a call, the event is answered 503, and the retry works', async () => {
    const { receiver, runs } = receiverOn({ storeTimeoutSeconds: 5 })
    expect((await deliver(receiver, 'k1')).status).toBe(201)
    const root = admin()
    await root.query('LOCK TABLES scalekit_scim_ledger WRITE')
    const waiting = deliver(receiver, 'k2')
    await expect
      .poll(async () => {
        const stuck = await rowsOf(
          root,
          "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%'",
        )
        for (const { ID } of stuck) await root.query(`KILL ${String(ID)}`)
        return stuck.length
      })
      .toBeGreaterThan(0)
    expect(await waiting).toMatchObject({ status: 503, outcome: 'store-unavailable' })
    await root.query('UNLOCK TABLES')
    await eventually(receiver, 'k2')
    expect(runs).toEqual(['k1', 'k2'])
  })

  test('a server that is killed and started again keeps the done messages', async () => {
    const { receiver, runs } = receiverOn()
    expect((await deliver(receiver, 'r1')).status).toBe(201)
    await own.kill()
    expect((await deliver(receiver, 'r2')).status).toBe(503)
    await own.start()
    await eventually(receiver, 'r2')
    expect((await deliver(receiver, 'r1')).outcome).toBe('duplicate')
    expect(runs).toEqual(['r1', 'r2'])
  }, 60_000)

  test('a dropped table is created again', async () => {
    const { receiver } = receiverOn()
    expect((await deliver(receiver, 'd1')).status).toBe(201)
    await admin().query('DROP TABLE scalekit_scim_ledger')
    expect((await deliver(receiver, 'd2')).status).toBe(201)
  })

  test('only expired rows are deleted in the background', async () => {
    const clock = createFakeClock()
    const { receiver } = receiverOn({ clock, storeTimeoutSeconds: 5 })
    await receiver.ledger.record('kept').compareAndSet(undefined, 'a', 60)
    const root = admin()
    const left = async () => {
      const [row] = await rowsOf(
        root,
        "SELECT COUNT(*) AS n FROM scalekit_scim_ledger WHERE name LIKE 'old%'",
      )
      return row?.n
    }
    const old = Array.from(
      { length: 700 },
      (_, index) => `(UNHEX(SHA2('${index}', 256)), 'old${index}', 'x', 1)`,
    )
    await root.query(`INSERT INTO scalekit_scim_ledger VALUES ${old.join(', ')}`)
    await clock.advance(60_000)
    await expect
      .poll(async () => {
        await clock.advance(250)
        return left()
      })
      .toBe(0)
    expect(await receiver.ledger.record('kept').read()).toBe('a')
  })

  test('with autocommit off, events are answered 503, and the log has a hint', async () => {
    const root = admin()
    await root.query('SET GLOBAL autocommit = 0')
    const store = new Keyv({ store: new KeyvMysql(`${own.uri}?autocommit`) })
    const { receiver, log } = receiverOn({ store })
    expect((await deliver(receiver, 'a1')).status).toBe(503)
    expect(log.text()).toContain('autocommit')
    await root.query('SET GLOBAL autocommit = 1')
  })
})

test('the DDL in docs/stores/mysql.md is the DDL of the first use', () => {
  const page = readFileSync(new URL('../../docs/stores/mysql.md', import.meta.url), 'utf8')
  for (const statement of mysqlSchema) expect(page).toContain(`${statement};`)
})
