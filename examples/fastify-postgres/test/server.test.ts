import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { lockKey } from '../src/migrations.ts'
import { Directory } from './directory.ts'
import { run, startServer } from './processes.ts'
import { connectTo, onDatabase, ownDatabase, ownNamespace, redisUrl, skip, someoneWaits } from './servers.ts'
import { deliver, processed } from './support.ts'

const databaseUrl = skip ? '' : await ownDatabase()
const onRedis = () => ({
  DATABASE_URL: databaseUrl,
  LEDGER_URL: redisUrl,
  LEDGER_NAMESPACE: ownNamespace(),
})
const ready = async (url: string) => {
  const response = await fetch(`${url}/ready`)
  return { status: response.status, body: await response.json() }
}
const timeout = 120_000

describe('two instances on one database and one ledger', { skip, timeout }, () => {
  it('if both instances get every message, they answer all copies and store the newest states', async (t) => {
    const env = onRedis()
    const servers = await Promise.all([startServer(t, env), startServer(t, env)])
    const directory = new Directory()
    const ids = [0, 1, 2, 3, 4].map((number) => `diruser_${number}`)
    const deliveries = ids.flatMap((id) =>
      [3, 1, 2, 0].flatMap((second) => {
        const event = directory.user(`09:00:0${second}`, { id, name: `Name ${second}` })
        const messageId = `msg_${directory.organizationId}_${id}_${second}`
        return servers.map(({ url }) => deliver(url, event, { messageId }))
      }),
    )
    for (const { status, outcome } of await Promise.all(deliveries)) {
      assert.ok(status === 200 || status === 201, `${status} ${outcome}`)
    }
    const response = await fetch(`${servers[1]?.url}/accounts?limit=200`)
    const { accounts } = JSON.parse(await response.text())
    assert.deepEqual(
      accounts.map(({ id, name }: { id: string; name: string }) => ({ id, name })),
      ids.map((id) => ({ id, name: 'Name 3' })),
    )
    for (const { child } of servers) child.kill('SIGTERM')
    assert.deepEqual(await Promise.all(servers.map(({ ended }) => ended)), [0, 0])
  })
})

describe('on SIGTERM', { skip, timeout }, () => {
  it('after a running handler and the answer to its webhook, the process exits with 0', async (t) => {
    const server = await startServer(t, onRedis())
    const directory = new Directory()
    // Load balancers open connections in advance. Such unused connections must not delay the shutdown.
    const unused = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
    t.after(() => unused.destroy())
    await once(unused, 'connect')
    const other = await connectTo(t, databaseUrl)
    await other.query('BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE')
    const reply = deliver(server.url, directory.user('09:00:00'))
    await someoneWaits(databaseUrl)

    server.child.kill('SIGTERM')
    await server.line('"msg":"stopping"')
    await refusesConnections(server.url)
    await other.query('COMMIT')
    assert.deepEqual(await reply, processed)
    assert.equal(await server.ended, 0)
    await server.line('"msg":"stopped"')
    const [row] = await onDatabase(databaseUrl, 'SELECT state FROM accounts WHERE organization_id = $1', [
      directory.organizationId,
    ])
    assert.deepEqual(row, { state: 'active' })
  })

  it('a signal ends a process that waits for the migrations of another process', async (t) => {
    const other = await connectTo(t, databaseUrl)
    await other.query('BEGIN')
    await other.query('SELECT pg_advisory_xact_lock($1)', [lockKey])
    const server = run(t, ['src/server.ts'], {
      ...onRedis(),
      SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
      PORT: '0',
    })
    await someoneWaits(databaseUrl)
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  })

  it('a server that is not ready serves requests for DRAIN_SECONDS or until a second signal', async (t) => {
    const server = await startServer(t, { ...onRedis(), DRAIN_SECONDS: '300' })
    assert.deepEqual(await ready(server.url), { status: 200, body: { status: 'ready' } })
    server.child.kill('SIGTERM')
    await server.line('"msg":"stopping"')
    assert.deepEqual(await ready(server.url), { status: 503, body: { status: 'stopping' } })
    assert.equal((await fetch(`${server.url}/health`)).status, 200)
    assert.deepEqual(await deliver(server.url, new Directory().user('09:00:00')), processed)
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 1)
  })
})

describe('the log', { skip, timeout }, () => {
  /** Code that throws an error on a signal, as a bug would. */
  const code = `process.on('SIGUSR2', () => { throw new Error('of amelia.hart@example.com') })`
  const mistake = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`

  it('the process logs an uncaught error and exits with 1', async (t) => {
    const server = await startServer(t, onRedis(), ['--import', mistake])
    server.child.kill('SIGUSR2')
    assert.equal(await server.ended, 1)
    const { level, err } = JSON.parse(await server.line('an uncaught error'))
    assert.equal(level, 60)
    assert.match(err.stack, /at process\./)
    assert.doesNotMatch(server.output(), /amelia/)
  })

  it('the log contains ids, but not personal data or secrets', async (t) => {
    const env = { ...onRedis(), LOG_LEVEL: 'trace' }
    const server = await startServer(t, env)
    const directory = new Directory()
    await deliver(server.url, directory.user('09:00:00'))
    await deliver(server.url, directory.user('10:00:00'), { secret: TEST_SECRET.replace('c2Nh', 'c2Ni') })
    // The table is deleted, so the handler fails with an error that quotes the statement.
    await onDatabase(databaseUrl, 'ALTER TABLE accounts RENAME TO elsewhere')
    const failed = await deliver(server.url, directory.user('11:00:00'))
    const page = await fetch(`${server.url}/accounts?limit=7&after=`)
    await onDatabase(databaseUrl, 'ALTER TABLE elsewhere RENAME TO accounts')
    await fetch(`${server.url}/nobody/amelia.hart@example.com?name=Amelia`)
    assert.equal(failed.outcome, 'handler-failed')
    assert.equal(page.status, 400)
    server.child.kill('SIGTERM')
    await server.ended
    assert.match(server.output(), new RegExp(directory.organizationId))
    assert.doesNotMatch(server.output(), /amelia|hart|127\.0\.0\.1:\d+\/nobody|limit=7/i)
    assert.ok(!server.output().includes(TEST_SECRET.slice('whsec_'.length)))
  })
})

describe('a server that cannot start', { timeout }, () => {
  it('a server names each invalid variable without its value, and exits with 1', async (t) => {
    const server = run(t, ['src/server.ts'], {
      SCALEKIT_WEBHOOK_SECRET: 'whsec_not base64',
      DATABASE_URL: 'mysql://root:hunter2@127.0.0.1/accounts',
      LEDGER_URL: '',
    })
    assert.equal(await server.ended, 1)
    assert.match(server.output(), /DATABASE_URL: [\s\S]*LEDGER_URL: [\s\S]*SCALEKIT_WEBHOOK_SECRET: /)
    assert.doesNotMatch(server.output(), /base64|hunter2|at file:/)
  })

  it('a server without its database reports the problem, and exits with 1', async (t) => {
    const server = run(t, ['src/server.ts'], {
      SCALEKIT_WEBHOOK_SECRET: TEST_SECRET,
      DATABASE_URL: 'postgres://postgres:hunter2@127.0.0.1:1/postgres',
      LEDGER_URL: 'redis://:hunter2@127.0.0.1:1',
      PORT: '0',
    })
    assert.equal(await server.ended, 1)
    assert.equal(JSON.parse(await server.line('the server does not start')).err.code, 'ECONNREFUSED')
    assert.doesNotMatch(server.output(), /hunter2/)
  })
})

async function refusesConnections(url: string): Promise<void> {
  for (;;) {
    const answered = await fetch(`${url}/health`).then(
      () => true,
      () => false,
    )
    if (!answered) return
    await sleep(20)
  }
}
