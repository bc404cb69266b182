import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import KeyvPostgres from '@keyv/postgres'
import { createClient } from '@keyv/redis'

/** The servers that the tables use. */
export const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
export const postgresUrl = process.env.POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres'

export type StoreName = 'Redis' | 'PostgreSQL'

/** The version of a server, or the reason why the server cannot be used, with the fix. */
export type ServerState = { version: string } | { unreachable: string }

const answerWithinMs = 5000

/** Returns the state of the servers. */
export async function serverStates(names: Iterable<StoreName>): Promise<Map<StoreName, ServerState>> {
  const states = new Map<StoreName, ServerState>()
  for (const name of new Set(names)) states.set(name, await stateOf(name))
  return states
}

async function stateOf(name: StoreName): Promise<ServerState> {
  const { read, fix } = servers[name]
  try {
    const late = wait(answerWithinMs, undefined, { ref: false }).then(() => {
      throw new Error(`no answer within ${answerWithinMs / 1000} s`)
    })
    return { version: await Promise.race([read(), late]) }
  } catch (error) {
    return { unreachable: `${name} cannot be used (${reasonOf(error)}). ${fix}` }
  }
}

/** If all addresses of a host fail, the message of the error is empty, and its parts have the reasons. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

const servers = {
  Redis: { read: redisVersion, fix: 'Start Redis on port 6379, or set REDIS_URL.' },
  PostgreSQL: { read: postgresVersion, fix: 'Start PostgreSQL on port 5432, or set POSTGRES_URL.' },
}

async function redisVersion(): Promise<string> {
  const client = createClient({ url: redisUrl, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  try {
    await client.connect()
    const info = String(await client.sendCommand(['INFO', 'server']))
    return /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1] ?? 'unknown'
  } finally {
    if (client.isOpen) client.destroy()
  }
}

async function postgresVersion(): Promise<string> {
  const adapter = new KeyvPostgres({ uri: postgresUrl, max: 1 })
  // If the adapter cannot connect, only this event has the reason.
  const failed = once(adapter, 'error').then(([error]) => {
    throw error
  })
  try {
    const [row] = await Promise.race([adapter.query('SHOW server_version'), failed])
    return String(row.server_version)
  } finally {
    await adapter.disconnect().catch(() => {})
  }
}

export type RedisClient = Awaited<ReturnType<typeof connectRedis>>

export async function connectRedis(database = 0) {
  const client = createClient({ url: redisUrl, ...(database > 0 ? { database } : {}) })
  await client.connect()
  return client
}

const deleteStep = `
local cursor, keys = unpack(redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 2000))
if #keys > 0 then redis.call('UNLINK', unpack(keys)) end
return cursor`

/** Deletes all keys that match a pattern. The server does the work, because a client needs minutes for millions of keys. */
export async function deleteKeys(client: RedisClient, pattern: string): Promise<void> {
  let cursor = '0'
  do {
    cursor = String(await client.sendCommand(['EVAL', deleteStep, '0', cursor, pattern]))
  } while (cursor !== '0')
}
