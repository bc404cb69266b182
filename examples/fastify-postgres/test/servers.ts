import { randomUUID } from 'node:crypto'
import { after, type TestContext } from 'node:test'
import { createClient } from '@keyv/redis'
import pg from 'pg'
import { within } from '../src/within.ts'

const { TEST_DATABASE_URL, TEST_REDIS_URL, CI } = process.env
const serverUrl = TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
export const redisUrl = TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'

/** Why the tests of a file are skipped; `false` where the servers are there. Under CI, without them, they fail. */
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
      return answers ? [] : [`no ${name} answers (${variable} says where it is)`]
    }),
  )
  const reason = reasons.flat().join(', ')
  if (reason !== '' && CI === 'true') throw new Error(reason)
  return reason === '' ? false : reason
}

/** A name of this file's own, for a database, a namespace and whatever else is shared. */
const own = `example_${randomUUID().replaceAll('-', '')}`

/** An empty database of this test file's own, dropped when its tests are over. */
export async function ownDatabase(suffix = ''): Promise<string> {
  const name = `${own}${suffix}`
  await onServer(`CREATE DATABASE ${name} TEMPLATE template0`)
  after(() => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(serverUrl)
  url.pathname = name
  return url.href
}

let namespaces = 0

/** A ledger that nothing is in yet. Its keys are deleted when the tests are over. */
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

/** One statement, on a connection of its own. */
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

/** Another process's connection, as far as the application knows. */
export async function connectTo(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  return client
}

/** Resolves with the process of a connection that waits for another's lock, when there is one. */
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

async function onRedis(work: (client: ReturnType<typeof redisClient>) => Promise<unknown>): Promise<void> {
  const client = redisClient()
  client.on('error', () => {})
  await client.connect()
  try {
    await work(client)
  } finally {
    client.destroy()
  }
}

function redisClient() {
  return createClient({ url: redisUrl, socket: { reconnectStrategy: false } })
}
