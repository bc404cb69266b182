import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDispatcher } from '@scalekit-scim/fastify'
import { createSimulator } from '@scalekit-scim/simulator'
import pino from 'pino'
import { Accounts } from '../src/accounts.ts'
import { openDatabase } from '../src/database.ts'
import { directoryHandlers } from '../src/directory-handlers.ts'
import { Groups } from '../src/groups.ts'
import { migrate } from '../src/migrations.ts'
import { openSync } from '../src/sync.ts'
import { run, startServer } from './processes.ts'
import { ownDatabase, ownNamespace, redisUrl, skip } from './servers.ts'

// The tests use the real SDK and a local Scalekit that does not send webhooks. So all data comes from the sync.

const patience = { timeout: 60_000 }

describe('the directory sync', { skip }, async () => {
  if (skip) return
  const databaseUrl = await ownDatabase()
  await migrate(databaseUrl)

  /** Creates a separate customer for a test. All customers are in one database. */
  async function startScalekit(t: TestContext) {
    const simulator = await createSimulator()
    t.after(() => simulator.close())
    const { environment } = simulator
    const organization = environment.createOrganization({ displayName: 'Acme' })
    const directory = environment.createDirectory(organization.id)
    const hire = (userName: string, groupIds: string[] = []) =>
      environment.createUser(directory.id, { attributes: { userName, displayName: userName }, groupIds })
    const env = {
      ...simulator.variables,
      DATABASE_URL: databaseUrl,
      LEDGER_URL: redisUrl,
      LEDGER_NAMESPACE: ownNamespace(),
      SYNC_EVERY_SECONDS: '1',
    }
    const pool = openDatabase({ url: databaseUrl, poolSize: 2, onError: () => {} })
    t.after(() => pool.end())
    /** Waits until `isRight` accepts the accounts. Resolves with the name, state and groups of each account. */
    const states = async () => {
      const accounts = await new Accounts(pool).page(1000, { organizationId: organization.id, id: '' })
      return accounts
        .filter((account) => account.organizationId === organization.id)
        .map(({ name, state, groups }) => [name ?? 'nobody', state, ...groups].join(' '))
        .sort()
    }
    const until = async (isRight: (states: string[]) => boolean) => {
      while (!isRight(await states())) await sleep(100)
    }
    return { simulator, environment, organization, directory, hire, env, states, until }
  }

  const sync = async (t: TestContext, env: NodeJS.ProcessEnv, ...args: string[]) => {
    const program = run(t, ['src/sync-once.ts', ...args], env)
    return { code: await program.ended, said: program.output() }
  }

  it('one pass creates all accounts, with their groups and states', patience, async (t) => {
    const { environment, directory, hire, env, states } = await startScalekit(t)
    const sales = environment.createGroup(directory.id, { displayName: 'Sales' })
    hire('ann', [sales.id])
    environment.updateUser(hire('ben').id, { active: false })
    const { code, said } = await sync(t, env)
    assert.equal(code, 0, said)
    assert.deepEqual(await states(), ['ann active Sales', 'ben deactivated'])
  })

  it('a full pass deletes users who left, or holds many deletions for approval', patience, async (t) => {
    const { environment, hire, env, states } = await startScalekit(t)
    const people = Array.from({ length: 60 }, (_, n) => hire(`person${n}`))
    const gone = async () => (await states()).filter((state) => state === 'nobody deleted').length
    await sync(t, env)
    for (const { id } of people.slice(0, 25)) environment.deleteUser(id)
    assert.equal((await sync(t, env)).code, 0)
    const held = await sync(t, env, '--full')
    const approval = /held: 25 users not listed.*approve (\S+)/.exec(held.said)?.[1]
    assert.ok(approval, held.said)
    assert.equal(held.code, 3)
    assert.match(held.said, /npm run sync -- --approve/)
    assert.equal(await gone(), 0)
    await sync(t, env, '--approve', approval)
    assert.equal(await gone(), 25)
    assert.equal((await sync(t, env, '--approve', approval)).code, 1, 'the approval can be used only once')
  })

  it('a pass stores the directory of each account and deletes users who leave', patience, async (t) => {
    const { environment, organization, directory, hire, env, states } = await startScalekit(t)
    const [ann] = ['ann', 'ben', 'cho'].map((name) => hire(name))
    await sync(t, env)
    // User webhooks usually do not contain a directory id, so some accounts do not have a directory id.
    const pool = openDatabase({ url: databaseUrl, poolSize: 1, onError: () => {} })
    t.after(() => pool.end())
    await pool.query('UPDATE accounts SET directory_id = NULL WHERE organization_id = $1', [organization.id])

    const other = environment.createDirectory(organization.id)
    environment.createUser(other.id, { attributes: { userName: 'dan', displayName: 'dan' } })
    environment.createGroup(directory.id, { displayName: 'Sales' })
    await sync(t, env, '--full')
    environment.deleteUser(ann?.id ?? '')
    const { code, said } = await sync(t, env, '--full')
    assert.equal(code, 0, said)
    assert.deepEqual(await states(), ['ben active', 'cho active', 'dan active', 'nobody deleted'])
  })

  it('the sync leaves half of the connections free for webhooks', patience, async (t) => {
    const { simulator, hire, states } = await startScalekit(t)
    for (let n = 0; n < 60; n++) hire(`person${n}`)
    const pool = openDatabase({ url: databaseUrl, poolSize: 4, onError: () => {} })
    t.after(() => pool.end())
    let inUse = 0
    let most = 0
    pool.on('acquire', () => {
      inUse++
      most = Math.max(most, inUse)
    })
    pool.on('release', () => inUse--)

    const handlers = directoryHandlers(new Accounts(pool), new Groups(pool))
    const dispatcher = createDispatcher({ ...handlers, store: 'memory', logger: false })
    const sync = await openSync({
      dispatcher,
      pool,
      api: simulator.variables,
      schedule: { everySeconds: 3600 },
      fullEverySeconds: 86_400,
      log: pino({ level: 'silent' }),
    })
    await sync.run()
    assert.equal((await states()).length, 60)
    assert.equal(most, 2)
  })

  it('the sync of a server recovers lost webhooks, and stops with the server', patience, async (t) => {
    const { hire, env, until } = await startScalekit(t)
    const server = await startServer(t, env)
    hire('ann')
    await until((states) => states.includes('ann active'))
    server.child.kill('SIGTERM')
    assert.equal(await server.ended, 0)
  })

  it('if an event of the sync delays the shutdown, the server refuses requests', patience, async (t) => {
    const { hire, env } = await startScalekit(t)
    const pool = openDatabase({ url: databaseUrl, poolSize: 2, onError: () => {} })
    const holder = await pool.connect()
    t.after(() => {
      holder.release(true)
      return pool.end()
    })
    await holder.query('BEGIN; LOCK TABLE accounts IN SHARE MODE')
    hire('ann')
    const server = await startServer(t, env)
    const isWaiting = async () =>
      (
        await pool.query(
          'SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
        )
      ).rowCount
    while (!(await isWaiting())) await sleep(100)

    server.child.kill('SIGTERM')
    const isListening = () =>
      fetch(`${server.url}/health`).then(
        () => true,
        () => false,
      )
    while (await isListening()) await sleep(100)
    assert.ok(await isWaiting(), 'while the event of the sync is running, the server refuses connections')
    await holder.query('COMMIT')
    assert.equal(await server.ended, 0)
  })

  it('a worker without HTTP and without a signing secret recovers lost webhooks', patience, async (t) => {
    const { hire, env, until } = await startScalekit(t)
    const worker = run(t, ['src/worker.ts'], env)
    await worker.line('the sync is running')
    hire('ann')
    await until((states) => states.includes('ann active'))
    worker.child.kill('SIGTERM')
    await once(worker.child, 'close')
    assert.equal(worker.child.exitCode, 0, worker.output())
    assert.doesNotMatch(worker.output(), /ann/)
  })
})
