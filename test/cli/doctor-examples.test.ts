import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { reachablePostgres, skippedFor } from '../support/postgres.ts'
import { sharedRedis } from '../support/redis-server.ts'
import { runCommand } from './command-line.ts'

// Starts the examples as a user who has copied them would, and runs the doctor against them.

const folder = mkdtempSync(join(tmpdir(), 'scim-doctor-'))
const children: ChildProcess[] = []
afterAll(async () => {
  await Promise.all(children.map(stop))
  rmSync(folder, { recursive: true })
})

const postgres = await reachablePostgres()
const redis = await sharedRedis()
if (!redis) skippedFor('no Redis answers, and none is installed')

test('examples/express-sqlite passes all checks, and only tombstones are left', async () => {
  const file = join(folder, 'accounts.db')
  const url = await startExample('express-sqlite', { DATABASE_FILE: file })
  await expectHealthy(url)
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = database.prepare('SELECT id, state, name, email FROM accounts').all()
  database.close()
  expectTombstones(rows)
})

test.skipIf(!postgres || !redis)('examples/fastify-postgres passes all checks', async () => {
  if (!postgres || !redis) return
  const name = `doctor_${randomUUID().replaceAll('-', '')}`
  const server = new pg.Client({ connectionString: postgres })
  await server.connect()
  await server.query(`CREATE DATABASE ${name} TEMPLATE template0`)
  const databaseUrl = Object.assign(new URL(postgres), { pathname: name }).href
  try {
    const url = await startExample('fastify-postgres', {
      DATABASE_URL: databaseUrl,
      LEDGER_URL: redis.url,
      LEDGER_NAMESPACE: name,
    })
    await expectHealthy(url)
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    const { rows } = await client.query('SELECT id, state, name, email FROM accounts')
    await client.end()
    expectTombstones(rows)
  } finally {
    await Promise.all(children.map(stop))
    await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await server.end()
    for (const key of redis.cli('--scan', '--pattern', `*{scim:${name}}*`).split('\n').filter(Boolean)) {
      redis.cli('UNLINK', key)
    }
    await redis.remove()
  }
})

async function startExample(example: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  const child = spawn(process.execPath, ['src/server.ts'], {
    cwd: fileURLToPath(new URL(`../../examples/${example}/`, import.meta.url)),
    env: { ...inherited, SCALEKIT_WEBHOOK_SECRET: TEST_SECRET, HOST: '127.0.0.1', PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  for (;;) {
    const [chunk] = await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => {
        throw new Error(`${example} has ended:\n${said}`)
      }),
    ])
    said += chunk
    const url = /istening (?:at|on) (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1]
    if (url) {
      child.stdout.resume()
      return `${url}/webhooks/scalekit`
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

async function expectHealthy(url: string): Promise<void> {
  const ran = await runCommand(['doctor', url, '--secret', TEST_SECRET, '--write', '--json'])
  const { checks } = JSON.parse(ran.stdout)
  expect(checks.filter(({ state }: { state: string }) => state !== 'ok')).toEqual([])
  expect(ran).toMatchObject({ exitCode: 0, stderr: '' })
}

function expectTombstones(rows: { [name: string]: unknown }[]): void {
  expect(rows).toHaveLength(4)
  for (const row of rows) {
    expect(row).toMatchObject({ state: 'deleted', name: null, email: null })
    expect(row.id).toMatch(/^diruser_doctor_[0-9a-f]{12}_[abcd]$/)
  }
}
