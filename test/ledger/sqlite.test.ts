import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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
import { afterAll, describe, expect, test, vi } from 'vitest'
import { sqliteSchema } from '../../packages/core/src/ledger/compare-and-set/sqlite.ts'
import { recordingLogger } from '../support/log.ts'
import { NodeSqliteAdapter, type NodeSqliteOptions } from '../support/node-sqlite-adapter.ts'
import { skewedClock } from '../support/skewed-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'scim-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const newFile = () => join(folder, `${++files}.db`)
const storeOn = (file: string, options: Partial<NodeSqliteOptions> = {}) =>
  new Keyv({ store: new NodeSqliteAdapter({ uri: `sqlite://${file}`, ...options }) })

function openLedger(file: string, options: DispatcherOptions = {}) {
  return createDispatcher({
    store: storeOn(file),
    logger: false,
    storeTimeoutSeconds: 5,
    onEvent: () => {},
    ...options,
  }).ledger
}

describe('the contract of a ledger, on one file over several connections', () => {
  const file = newFile()
  const open = ({ skewMs }: { skewMs: number }) => openLedger(file, { clock: skewedClock(skewMs) })
  for (const { name, run } of ledgerConformance(open, { atomic: true })) test(name, run)
})

describe('the contract of a ledger, in memory', () => {
  const ledger = openLedger(':memory:')
  for (const { name, run } of ledgerConformance(() => ledger)) test(name, run)
})

test('the guarantee of a file is atomic, and of a database in memory process', () => {
  expect(openLedger(newFile()).guarantee).toEqual({ message: 'atomic', order: 'atomic' })
  expect(openLedger(':memory:').guarantee).toEqual({ message: 'process', order: 'process' })
  expect(() => openLedger(':memory:', { requireGuarantee: 'atomic' })).toThrow(
    expect.objectContaining({ code: 'ERR_SCIM_GUARANTEE' }),
  )
})

test('one of three processes on one file gets each message, and turns never overlap', async () => {
  const file = newFile()
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('CREATE TABLE counters (resource TEXT PRIMARY KEY, n INTEGER NOT NULL)')
  const [messages, resources] = [60, 6]
  for (let index = 0; index < resources; index++) {
    database.prepare('INSERT INTO counters VALUES (?, 0)').run(`user-${index}`)
  }
  const contender = fileURLToPath(new URL('../support/sqlite-contender.ts', import.meta.url))
  const run = async () => {
    const args = [contender, file, 'race', String(messages), String(resources)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const won: number[] = JSON.parse(stdout)
    return won
  }
  const won = await Promise.all([run(), run(), run()])
  expect(won.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: messages }, (_, index) => index))
  expect(won.filter((numbers) => numbers.length > 0).length, 'processes that won some').toBeGreaterThan(1)
  expect(database.prepare('SELECT DISTINCT n FROM counters').all()).toEqual([{ n: messages / resources }])
  database.close()
}, 90_000)

test('two namespaces on one file are separate', async () => {
  const file = newFile()
  const request = { token: 't', messageId: 'msg', resource: 'user', leaseSeconds: 60 }
  for (const namespace of ['one', 'two']) {
    expect((await openLedger(file, { namespace }).begin(request)).state).toBe('begun')
  }
})

describe('faults', () => {
  const hire = sampleEvent('organization.directory.user_created')
  function receiverOn(store: Keyv, options: ReceiverOptions = {}) {
    const log = recordingLogger()
    let runs = 0
    const receiver = createReceiver({
      secret: TEST_SECRET,
      store,
      logger: log,
      storeTimeoutSeconds: 0.5,
      onUserCreated: () => void runs++,
      ...options,
    })
    return { receiver, log, runs: () => runs }
  }
  const deliver = (receiver: Receiver, messageId = 'msg_1') =>
    receiver.receive({ url: '/', ...signDelivery(hire, { messageId }) })

  /** Starts another process with an uncommitted write. */
  async function lock(file: string): Promise<() => Promise<void>> {
    const script = `
      const database = new (require('node:sqlite').DatabaseSync)(process.argv[1])
      database.exec('BEGIN IMMEDIATE')
      process.stdin.on('end', () => database.exec('COMMIT')).resume()
      console.log('locked')`
    const child = spawn(process.execPath, ['-e', script, file], { stdio: ['pipe', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    return async () => {
      child.stdin.end()
      await once(child, 'exit')
    }
  }

  test('while another process has locked the file, a begin is answered 503, and the retry works', async () => {
    const file = newFile()
    const { receiver, runs } = receiverOn(storeOn(file))
    expect((await deliver(receiver)).status).toBe(201)
    const unlock = await lock(file)
    expect(await deliver(receiver, 'msg_2')).toMatchObject({ status: 503, outcome: 'store-unavailable' })
    expect((await deliver(receiver)).outcome, 'done messages can still be read').toBe('duplicate')
    await unlock()
    expect(runs()).toBe(1)
    expect((await deliver(receiver, 'msg_2')).status).toBe(201)
    await receiver.close()
  })

  test('while the file is locked before the table exists, the ledger pauses between its retries', async () => {
    const file = newFile()
    const adapter = new NodeSqliteAdapter({ uri: `sqlite://${file}` })
    await adapter.query('SELECT 1')
    const asked = vi.spyOn(adapter, 'query')
    const { receiver } = receiverOn(new Keyv({ store: adapter }))
    const unlock = await lock(file)
    expect((await deliver(receiver)).outcome).toBe('store-unavailable')
    expect(asked.mock.calls.length).toBeLessThan(200)
    await unlock()
    expect((await deliver(receiver)).outcome).toBe('processed')
    await receiver.close()
  })

  test('if the file is locked at the commit, the event is answered 2xx, and recorded later', async () => {
    const file = newFile()
    let unlock = async () => {}
    const { receiver } = receiverOn(storeOn(file), {
      onUserCreated: async () => {
        unlock = await lock(file)
      },
    })
    expect((await deliver(receiver)).status).toBe(201)
    await unlock()
    await receiver.close()
    const other = receiverOn(storeOn(file))
    expect((await deliver(other.receiver)).outcome).toBe('duplicate')
    expect(other.runs()).toBe(0)
  })

  test('on a read-only database, events are answered 503, and the log has a hint', async () => {
    const file = newFile()
    const first = receiverOn(storeOn(file))
    await deliver(first.receiver, 'msg_0')
    await first.receiver.close()
    const { receiver, log, runs } = receiverOn(storeOn(file, { readOnly: true }))
    expect((await deliver(receiver)).status).toBe(503)
    expect(runs()).toBe(0)
    expect(log.text()).toContain('read-only')
  })

  test('a dropped table is created again', async () => {
    const file = newFile()
    const { receiver } = receiverOn(storeOn(file))
    expect((await deliver(receiver)).status).toBe(201)
    new DatabaseSync(file).exec('DROP TABLE scalekit_scim_ledger')
    expect((await deliver(receiver, 'msg_2')).status).toBe(201)
  })

  test('a claim is released if its answer was lost', async () => {
    const adapter = new NodeSqliteAdapter({ uri: `sqlite://${newFile()}` })
    const query = adapter.query.bind(adapter)
    let losing = true
    adapter.query = async (sql, ...parameters) => {
      const rows = await query(sql, ...parameters)
      if (!losing || !sql.startsWith('WITH change')) return rows
      losing = false
      throw new Error('the connection was lost')
    }
    // The lease is too long to expire during the test.
    const { receiver, runs } = receiverOn(new Keyv({ store: adapter }), {
      leaseSeconds: 600,
      deadlineSeconds: 0.2,
    })
    expect((await deliver(receiver)).status).toBe(503)
    expect(losing).toBe(false)
    await expect.poll(async () => (await deliver(receiver)).status).toBe(201)
    expect(runs()).toBe(1)
  })

  test('a file that could not be opened at start is opened later', async () => {
    const missing = join(folder, 'later')
    const { receiver } = receiverOn(storeOn(join(missing, 'a.db')))
    expect((await deliver(receiver)).status).toBe(503)
    mkdirSync(missing)
    expect((await deliver(receiver)).status).toBe(201)
    await receiver.close()
  })
})

describe('maintenance', () => {
  test('only expired rows are deleted in the background', async () => {
    const file = newFile()
    const clock = createFakeClock()
    const dispatcher = createDispatcher({
      store: storeOn(file),
      logger: false,
      clock,
      onEvent: () => {},
    })
    const { ledger } = dispatcher
    await ledger.record('kept').compareAndSet(undefined, 'a', 60)
    const database = new DatabaseSync(file)
    const insert = database.prepare("INSERT INTO scalekit_scim_ledger VALUES ('other', 'm', ?, '{}', 1)")
    database.exec('BEGIN')
    for (let index = 0; index < 700; index++) insert.run(`old-${index}`)
    database.exec('COMMIT')
    const left = () => database.prepare('SELECT COUNT(*) AS n FROM scalekit_scim_ledger').get()?.n
    await clock.advance(60_000)
    await expect.poll(left).toBeLessThan(701)
    await expect
      .poll(async () => {
        await clock.advance(250)
        return left()
      })
      .toBe(1)
    expect(await ledger.record('kept').read()).toBe('a')

    await dispatcher.close()
    insert.run('late')
    await clock.advance(600_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(left()).toBe(2)
  })

  test('no statement scans the table', async () => {
    const file = newFile()
    const clock = createFakeClock()
    const adapter = new NodeSqliteAdapter({ uri: `sqlite://${file}` })
    const statements = new Set<string>()
    const query = adapter.query.bind(adapter)
    adapter.query = (sql, ...parameters) => {
      statements.add(sql)
      return query(sql, ...parameters)
    }
    const { ledger } = createDispatcher({
      store: new Keyv({ store: adapter }),
      logger: false,
      clock,
      onEvent: () => {},
    })
    await ledger.begin({ token: 't', messageId: 'm', resource: 'r', leaseSeconds: 60 })
    await ledger.forget('m')
    await clock.advance(60_000)
    await expect.poll(() => [...statements].some((sql) => sql.includes('ORDER BY expires_ms'))).toBe(true)
    const database = new DatabaseSync(file)
    const ours = [...statements].filter((sql) => /^\s*(SELECT CAST|WITH|DELETE)/.test(sql))
    expect(ours.length).toBeGreaterThanOrEqual(4)
    for (const sql of ours) {
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
      expect(
        plan.map(({ detail }) => String(detail)).filter((line) => /^SCAN (t|scalekit)/.test(line)),
      ).toEqual([])
    }
  })

  test('the DDL in docs/stores/sqlite.md is the DDL of the first use', () => {
    const page = readFileSync(new URL('../../docs/stores/sqlite.md', import.meta.url), 'utf8')
    for (const statement of sqliteSchema) expect(page).toContain(`${statement};`)
  })
})
