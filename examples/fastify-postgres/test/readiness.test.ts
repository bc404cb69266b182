import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { migrate } from '../src/migrations.ts'
import { remembered } from '../src/readiness.ts'
import { Directory } from './directory.ts'
import { onDatabase, ownDatabase, ownRedis, ownRole, skip } from './servers.ts'
import { type AppSettings, startApp } from './support.ts'

// These problems make webhooks fail. A simple check, such as a SELECT or the store's time, would not detect these
// problems.

const databaseUrl = skip ? '' : await ownDatabase()
if (!skip) await migrate(databaseUrl)
const admin = (sql: string) => onDatabase(databaseUrl, sql)

/** Returns the names of the failing dependencies. */
async function readinessOf(url: string): Promise<string[]> {
  const response = await fetch(`${url}/ready`)
  const { failing = [] } = JSON.parse(await response.text())
  return failing
}

async function failing(t: TestContext, settings: AppSettings): Promise<string[]> {
  const { url, deliver } = await startApp(t, settings)
  const failing = await readinessOf(url)
  // If a dependency fails, a webhook must fail. If no dependency fails, the webhook must succeed.
  const { status } = await deliver(new Directory().user('09:00:00'))
  assert.equal(status >= 500, failing.length > 0, `a webhook is answered ${status}`)
  return failing
}

/**
 * Creates a database role that has all rights that the service needs. Each test then removes one right or changes one
 * setting.
 */
async function service(suffix: string) {
  const { role, url } = await ownRole(databaseUrl, suffix)
  await admin(`GRANT USAGE, CREATE ON SCHEMA public TO ${role}`)
  await admin(`GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, groups, memberships TO ${role}`)
  return { role, url }
}

describe('readiness', { skip, timeout: 60_000 }, () => {
  it('if the role has the rights that a webhook needs, the service is ready', async (t) => {
    const { url } = await service('_able')
    assert.deepEqual(await failing(t, { databaseUrl: url }), [])
  })

  for (const [right, table] of [
    ['INSERT', 'accounts'],
    ['UPDATE', 'groups'],
    ['DELETE', 'memberships'],
  ]) {
    it(`if the right to ${right} in ${table} is missing, the database is reported`, async (t) => {
      const { role, url } = await service(`_no_${right?.toLowerCase()}`)
      await admin(`REVOKE ${right} ON ${table} FROM ${role}`)
      const app = await startApp(t, { databaseUrl: url })
      assert.deepEqual(await readinessOf(app.url), ['database'])
    })
  }

  it('a read-only database and the ledger in it are reported', async (t) => {
    const { role, url } = await service('_read_only')
    await admin(`ALTER ROLE ${role} SET default_transaction_read_only = on`)
    assert.deepEqual(await failing(t, { databaseUrl: url, ledgerUrl: url }), ['database', 'ledger'])
  })

  it('if the role cannot create tables, only the ledger is reported', async (t) => {
    const { role, url } = await service('_no_ledger')
    await admin('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    await admin(`REVOKE CREATE ON SCHEMA public FROM ${role}`)
    await admin('DROP TABLE IF EXISTS scalekit_scim_messages, scalekit_scim_resources, scalekit_scim_records')
    assert.deepEqual(await failing(t, { databaseUrl: url, ledgerUrl: url }), ['ledger'])
  })

  it('if the default isolation of transactions is wrong, only the ledger is reported', async (t) => {
    const { role, url } = await service('_isolation')
    await admin(`ALTER ROLE ${role} SET default_transaction_isolation = 'repeatable read'`)
    assert.deepEqual(await failing(t, { databaseUrl: url, ledgerUrl: url }), ['ledger'])
  })

  it('if Redis is out of memory, the ledger is reported', async (t) => {
    const ledgerUrl = await ownRedis(t, '--maxmemory', '1', '--maxmemory-policy', 'noeviction')
    if (ledgerUrl === undefined) return t.skip('redis-server is not installed')
    assert.deepEqual(await failing(t, { databaseUrl, ledgerUrl }), ['ledger'])
  })

  it('if Redis is a replica, the ledger is reported', async (t) => {
    const ledgerUrl = await ownRedis(t, '--replicaof', '127.0.0.1', '1')
    if (ledgerUrl === undefined) return t.skip('redis-server is not installed')
    assert.deepEqual(await failing(t, { databaseUrl, ledgerUrl }), ['ledger'])
  })

  it('the check does not leave data in the ledger', async (t) => {
    const app = await startApp(t, { databaseUrl, ledgerUrl: databaseUrl })
    assert.equal((await fetch(`${app.url}/ready`)).status, 200)
    const left = await admin(`SELECT id FROM scalekit_scim_messages WHERE id LIKE 'ready-%'
      UNION ALL SELECT id FROM scalekit_scim_resources WHERE id LIKE 'ready-%'`)
    assert.deepEqual(left, [])
  })
})

it('an answer is reused, so that many requests cause only one write', async () => {
  let asked = 0
  const ask = remembered(async () => ++asked)
  assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1])
  assert.equal(await ask(), 1)
})
