import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createSimulator, type Simulator, type SimulatorOptions } from '@scalekit-scim/simulator'
import { Accounts } from '../src/accounts.ts'
import { openDatabase } from '../src/database.ts'
import { Groups } from '../src/groups.ts'
import { databaseFile, startServer } from './support.ts'

// The tests use the real SDK and a local Scalekit that does not send webhooks. So all data comes from the sync.

const program = fileURLToPath(new URL('../src/sync-once.ts', import.meta.url))
const patience = { timeout: 60_000 }

async function startScalekit(t: TestContext, options: SimulatorOptions = {}) {
  const simulator = await createSimulator(options)
  t.after(() => simulator.close())
  const { environment } = simulator
  const organization = environment.createOrganization({ displayName: 'Acme' })
  const directory = environment.createDirectory(organization.id)
  const hire = (userName: string, groupIds: string[] = []) =>
    environment.createUser(directory.id, {
      attributes: { userName, email: `${userName}@acme.example`, displayName: userName },
      groupIds,
    })
  return { simulator, environment, organization, directory, hire }
}

function variables(
  simulator: Simulator,
  file: string,
  more: Record<string, string> = {},
): Record<string, string | undefined> {
  const { NODE_OPTIONS: _, ...env } = process.env
  return { ...env, ...simulator.variables, DATABASE_FILE: file, ...more }
}

function runSync(env: NodeJS.ProcessEnv, ...args: string[]): Promise<{ code: unknown; said: string }> {
  return new Promise((resolve) => {
    const command = ['--disable-warning=ExperimentalWarning', program, ...args]
    execFile(process.execPath, command, { env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, said: stdout + stderr })
    })
  })
}

/** Reads the states of all accounts directly from the file. */
function states(file: string): string[] {
  const database = openDatabase(file)
  try {
    return new Accounts(database, new Groups(database))
      .newest(1000)
      .map(({ name, state, groups }) => [name ?? 'nobody', state, ...groups].join(' '))
      .sort()
  } finally {
    database.close()
  }
}

test('one pass creates all accounts, with their groups and states', patience, async (t) => {
  const { simulator, environment, directory, hire } = await startScalekit(t)
  const sales = environment.createGroup(directory.id, { displayName: 'Sales' })
  hire('ann', [sales.id])
  environment.updateUser(hire('ben').id, { active: false })
  const file = await databaseFile(t)
  const { code, said } = await runSync(variables(simulator, file))
  assert.equal(code, 0, said)
  assert.deepEqual(states(file), ['ann active Sales', 'ben deactivated'])
  assert.match(said, /users: 2 seen, 2 created/)
  assert.doesNotMatch(said, /scalekit-scim:/, 'there is no warning, because the processes share the ledger')
})

test('a dry run reports the changes, but does not apply them', patience, async (t) => {
  const { simulator, hire } = await startScalekit(t)
  hire('ann')
  const file = await databaseFile(t)
  assert.match(
    (await runSync(variables(simulator, file), '--dry-run')).said,
    /Dry run complete.*\n.*\n.*1 created/,
  )
  assert.deepEqual(states(file), [])
})

test(
  'only a full pass deletes users who have left, or holds many deletions for approval',
  patience,
  async (t) => {
    const { simulator, environment, hire } = await startScalekit(t)
    const people = Array.from({ length: 60 }, (_, n) => hire(`person${n}`))
    const file = await databaseFile(t)
    const env = variables(simulator, file)
    await runSync(env)

    for (const { id } of people.slice(0, 2)) environment.deleteUser(id)
    const incremental = await runSync(env)
    assert.match(incremental.said, /\(incremental\)/)
    assert.ok(!states(file).includes('nobody deleted'))
    await runSync(env, '--full')
    assert.equal(states(file).filter((state) => state === 'nobody deleted').length, 2)

    for (const { id } of people.slice(2, 27)) environment.deleteUser(id)
    const held = await runSync(env, '--full')
    const approval = /held: 25 users not listed.*approve (\S+)/.exec(held.said)?.[1]
    assert.ok(approval, held.said)
    assert.equal(held.code, 3)
    assert.match(held.said, /npm run sync -- --approve/)
    assert.equal(states(file).filter((state) => state === 'nobody deleted').length, 2)

    await runSync(env, '--approve', approval)
    assert.equal(states(file).filter((state) => state === 'nobody deleted').length, 27)
    assert.equal((await runSync(env, '--approve', approval)).code, 1, 'the approval can be used only once')
  },
)

test(
  'with two directories, a pass stores the directory of each account and deletes users who leave',
  patience,
  async (t) => {
    const { simulator, environment, organization, hire } = await startScalekit(t)
    const [ann] = ['ann', 'ben', 'cho'].map((name) => hire(name))
    const file = await databaseFile(t)
    const env = variables(simulator, file)
    await runSync(env)
    // The files of earlier versions do not have these columns.
    const database = openDatabase(file)
    database.exec(
      'ALTER TABLE accounts DROP COLUMN directory_id; ALTER TABLE groups DROP COLUMN directory_id',
    )
    database.close()

    const other = environment.createDirectory(organization.id)
    environment.createUser(other.id, { attributes: { userName: 'dan', displayName: 'dan' } })
    environment.createGroup(other.id, { displayName: 'Sales' })
    await runSync(env, '--full')
    environment.deleteUser(ann?.id ?? '')
    const { code, said } = await runSync(env, '--full')
    assert.equal(code, 0, said)
    assert.deepEqual(states(file), ['ben active', 'cho active', 'dan active', 'nobody deleted'])
  },
)

test('a server applies and reports lost changes, and can stop during a pass', patience, async (t) => {
  // The changes are an hour old, because each pass sends very recent changes again.
  const from = new Date(Date.now() - 3_600_000)
  const { simulator, environment, hire } = await startScalekit(t, { from })
  const file = await databaseFile(t)
  const { said, saying, stop } = await startServer(t, file, {
    ...simulator.variables,
    SYNC_EVERY_SECONDS: '1',
    SYNC_FULL_EVERY_SECONDS: '1',
  })
  const until = async (isRight: () => boolean) => {
    while (!isRight()) await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const ann = hire('ann')
  for (const name of ['ben', 'cho']) hire(name)
  await until(() => states(file).includes('ann active'))
  environment.deleteUser(ann.id)
  await until(() => states(file).includes('nobody deleted'))
  await saying((line) => line.includes('1 deleted'))
  assert.ok(!said.some((line) => line.includes('No sync')))
  await stop()
})

test('a server reports the changes of a pass in one line, or prints nothing', patience, async (t) => {
  const { simulator, hire } = await startScalekit(t)
  const { said, saying } = await startServer(t, await databaseFile(t), {
    ...simulator.variables,
    SYNC_EVERY_SECONDS: '1',
  })
  hire('ann')
  await saying((line) => line === 'Sync: users 1 created')
  // Each later pass sends the user again, because the change is less than two minutes old.
  await new Promise((resolve) => setTimeout(resolve, 3500))
  assert.deepEqual(said.slice(1), ['Sync: users 1 created'])
})

test(
  'a manual pass fails during a pass of the server, and later reads only newer changes',
  patience,
  async (t) => {
    const { simulator, hire } = await startScalekit(t)
    hire('ann')
    const file = await databaseFile(t)
    const { saying, stop } = await startServer(t, file, simulator.variables)
    await saying((line) => line === 'Sync: users 1 created')
    await stop()

    // After a restart, the server's pass waits for the API. During the wait, the test requests a manual pass.
    simulator.setFaults({ api: { latencyMs: 3000 } })
    hire('ben')
    const again = await startServer(t, file, simulator.variables)
    const refused = await runSync(variables(simulator, file))
    assert.match(refused.said, /^Sync not begun: another pass is running$/m)
    assert.equal(refused.code, 1)
    assert.deepEqual(states(file), ['ann active'])

    simulator.setFaults({ api: {} })
    await again.saying((line) => line === 'Sync: users 1 created')
    const { code, said } = await runSync(variables(simulator, file))
    assert.equal(code, 0, said)
    assert.match(said, /^Sync complete .*\(incremental\)$/m)
    assert.match(said, /users: \d seen, [^c]*$/m, 'the server had already created the users')
    await again.stop()
  },
)

test(
  'if the API is unreachable, the command reports its retries and stops on a signal',
  patience,
  async (t) => {
    const { simulator } = await startScalekit(t)
    await simulator.close()
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
      env: variables(simulator, await databaseFile(t)),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    t.after(() => child.kill('SIGKILL'))
    const [line] = await once(createInterface({ input: child.stderr }), 'line')
    assert.match(line, /No progress for 5 s: the sync retries/)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [1, null])
  },
)

test('the error message names a missing credential or an unknown option', patience, async (t) => {
  const file = await databaseFile(t)
  const { simulator } = await startScalekit(t)
  const { SCALEKIT_CLIENT_SECRET: _, ...env } = variables(simulator, file)
  assert.match((await runSync(env)).said, /SCALEKIT_CLIENT_SECRET is not set/)
  const misspelt = await runSync(env, '--ful')
  assert.equal(misspelt.code, 2)
  assert.match(misspelt.said, /'--ful'[\s\S]*Usage: npm run sync/)
})
