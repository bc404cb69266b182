import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@keyv/redis'
import pg from 'pg'
import { within } from '../src/within.ts'

const { TEST_DATABASE_URL, TEST_REDIS_URL, CI } = process.env
const serverUrl = TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
export const redisUrl = TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

/**
 * The reason for skipping the tests of a file, or `false`. In CI, tests fail without the servers.
 */
export const skip = await reasonToSkip()

async function reasonToSkip(): Promise<string | false> {
  const patienceMs = 3000
  const missing = [
    ['PostgreSQL', 'TEST_DATABASE_URL', () => onServer('SELECT 1')],
    ['Redis', 'TEST_REDIS_URL', () => onRedis((client) => client.ping())],
  ] as const
  const reasons = await Promise.all(
    missing.map(async ([name, variable, ask]) => {
      const answers = await within(patienceMs, ask()).then(
        () => true,
        () => false,
      )
      return answers ? [] : [`${name} does not answer (set ${variable} to its address)`]
    }),
  )
  const reason = reasons.flat().join(', ')
  if (reason !== '' && CI === 'true') throw new Error(reason)
  return reason === '' ? false : reason
}

/** A unique name for this file's database, namespace and other shared names. */
const own = `example_${randomUUID().replaceAll('-', '')}`

/** Creates an empty database for this test file, and drops it after the tests. */
export async function ownDatabase(suffix = ''): Promise<string> {
  const name = `${own}${suffix}`
  await onServer(`CREATE DATABASE ${name} TEMPLATE template0`)
  after(() => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(serverUrl)
  url.pathname = name
  return url.href
}

let namespaces = 0

/** Returns a namespace with an empty ledger, and deletes its keys after the tests. */
export function ownNamespace(): string {
  return `${own}.${++namespaces}`
}

if (!skip) {
  after(() =>
    onRedis(async (client) => {
      for await (const keys of client.scanIterator({ MATCH: `*{scim:${own}*`, COUNT: 1000 })) {
        if (keys.length > 0) await client.unlink(keys)
      }
    }),
  )
}

/** Creates a login with only the given rights on this database, and drops it after the tests. */
export async function ownRole(databaseUrl: string, suffix: string): Promise<{ role: string; url: string }> {
  const role = `${own}${suffix}`
  await onDatabase(databaseUrl, `CREATE ROLE ${role} LOGIN PASSWORD '${role}'`)
  after(async () => {
    await onDatabase(databaseUrl, `DROP OWNED BY ${role}`)
    await onServer(`DROP ROLE ${role}`)
  })
  const url = new URL(databaseUrl)
  url.username = role
  url.password = role
  return { role, url: url.href }
}

/** Starts a Redis that the test can break. If Redis is not installed, returns `undefined`. */
export async function ownRedis(t: TestContext, ...options: string[]): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'example-redis-'))
  const port = await freePort()
  const always = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '']
  const child = spawn('redis-server', [...always, ...options], { stdio: 'ignore' })
  t.after(async () => {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  const started = await Promise.race([
    once(child, 'spawn').then(() => true),
    once(child, 'error').then(() => false),
  ])
  if (!started) return undefined
  const url = `redis://127.0.0.1:${port}`
  while (!(await isUp(url))) await sleep(25)
  return url
}

async function isUp(url: string): Promise<boolean> {
  return onRedis((client) => client.ping(), url).then(
    () => true,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}

/** Runs one statement on its own connection. */
export async function onDatabase(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(sql, values)
    return rows
  } finally {
    await client.end()
  }
}

/** Opens a connection of the test itself. For the application, this connection belongs to another process. */
export async function connectTo(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  return client
}

/**
 * Waits until a connection waits for a lock of another connection. Resolves with the process id of the waiting
 * connection.
 */
export async function someoneWaits(url: string): Promise<unknown> {
  for (;;) {
    const [waiting] = await onDatabase(
      url,
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (waiting) return waiting.pid
  }
}

function onServer(sql: string): Promise<unknown> {
  return onDatabase(serverUrl, sql)
}

async function onRedis(
  work: (client: ReturnType<typeof redisClient>) => Promise<unknown>,
  url = redisUrl,
): Promise<void> {
  const client = redisClient(url)
  client.on('error', () => {})
  await client.connect()
  try {
    await work(client)
  } finally {
    client.destroy()
  }
}

function redisClient(url: string) {
  return createClient({ url, socket: { reconnectStrategy: false } })
}
