import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createApp } from '../src/app.ts'
import { addHealthRoutes } from '../src/health.ts'
import { migrate } from '../src/migrations.ts'
import { Directory } from './directory.ts'
import { onDatabase, ownDatabase, redisUrl, skip } from './servers.ts'
import { processed, type RunningApp, startApp } from './support.ts'

const databaseUrl = skip ? '' : await ownDatabase()
if (!skip) await migrate(databaseUrl)

/** An address without a server. */
const closedPort = '127.0.0.1:1'
const noDatabase = `postgres://postgres@${closedPort}/accounts`

async function get({ url }: RunningApp, path: string) {
  const response = await fetch(`${url}${path}`)
  return { status: response.status, body: await response.json() }
}

const alive = { status: 200, body: { status: 'alive' } }
const ready = { status: 200, body: { status: 'ready' } }
const unavailable = (...failing: string[]) => ({ status: 503, body: { status: 'unavailable', failing } })

describe('health and readiness', { skip }, () => {
  for (const [name, ledgerUrl] of [
    ['Redis', redisUrl],
    ['PostgreSQL', databaseUrl],
  ] as const) {
    it(`with the ledger on ${name}, the process is healthy and ready`, async (t) => {
      const app = await startApp(t, { databaseUrl, ledgerUrl })
      assert.deepEqual(await get(app, '/health'), alive)
      assert.deepEqual(await get(app, '/ready'), ready)
    })
  }

  it('without the database, the process is healthy, but not ready for events', async (t) => {
    const app = await startApp(t, { databaseUrl: noDatabase })
    assert.deepEqual(await get(app, '/health'), alive)
    assert.deepEqual(await get(app, '/ready'), unavailable('database'))
    const reply = await app.deliver(new Directory().user('09:00:00'))
    assert.deepEqual(reply, { status: 500, outcome: 'handler-failed' })
  })

  for (const ledgerUrl of [`redis://${closedPort}`, noDatabase]) {
    it(`without the ledger at ${ledgerUrl}, the process is healthy, but not ready for events`, async (t) => {
      const app = await startApp(t, { databaseUrl, ledgerUrl })
      const directory = new Directory()
      assert.deepEqual(await get(app, '/health'), alive)
      assert.deepEqual(await get(app, '/ready'), unavailable('ledger'))
      const reply = await app.deliver(directory.user('09:00:00'))
      assert.deepEqual(reply, { status: 503, outcome: 'store-unavailable' })
      assert.equal(await app.accounts.find(directory.key), undefined)
    })
  }

  it('if PostgreSQL ends idle connections, the process continues', async (t) => {
    const app = await startApp(t, { databaseUrl, ledgerUrl: databaseUrl })
    const directory = new Directory()
    assert.deepEqual(await app.deliver(directory.user('09:00:00')), processed)
    const ended = await onDatabase(
      databaseUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'`,
    )
    assert.ok(ended.length >= 2)
    assert.deepEqual(await get(app, '/ready'), ready)
    assert.deepEqual(await app.deliver(directory.user('10:00:00')), processed)
  })
})

it('a dependency that never answers counts as failed', { timeout: 60_000 }, async (t) => {
  const app = createApp({ level: 'silent' })
  t.after(() => app.close())
  const silence = new Promise<never>(() => {})
  addHealthRoutes(app, {
    isStopping: () => false,
    parts: { database: () => Promise.resolve(), ledger: () => silence },
  })
  const response = await app.inject('/ready')
  assert.deepEqual({ status: response.statusCode, body: response.json() }, unavailable('ledger'))
})
