// Compares begin and commit on Redis with 10,000 and with 3,000,000 stored messages and resources.
import KeyvRedis from '@keyv/redis'
import { createDispatcher, type Dispatcher } from '@scalekit-scim/core'
import Keyv from 'keyv'
import { progress } from '../report.ts'
import { connectRedis, deleteKeys, type RedisClient } from '../stores.ts'
import {
  compare,
  count,
  few,
  type Loaded,
  loadedAt,
  loadedToken,
  many,
  requireLoaded,
  retention,
  withCleanUp,
} from './compare.ts'

const namespace = 'bench-growth'
const chunk = 10_000
const maxGb = 4

/** Writes done messages and resources as the ledger's scripts write them (packages/core/src/ledger/redis/scripts.ts). */
const load = `
local prefix, token, watermark, from, count, retention_ms, keep_ms = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] .. string.format('%06d', time[2])
for index = from, from + count - 1 do
  redis.call('SET', prefix .. 'm:msg_' .. string.format('%027d', index), 'd' .. token, 'PX', retention_ms)
  redis.call('SET', prefix .. 'r:user:org_64373838838:diruser_' .. string.format('%018d', index),
    now .. 'w' .. watermark .. now, 'PX', keep_ms)
end`

const admin = await connectRedis()
const clients: RedisClient[] = []
const dispatchers: Dispatcher[] = []
const loadedClients: RedisClient[] = []

async function usedBytes(client: RedisClient): Promise<number> {
  const info = String(await client.sendCommand(['INFO', 'memory']))
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1])
}

/** Connects to an empty database. Each database has a hash table of its own, so the small one stays small. */
async function emptyDatabase(from: number): Promise<number> {
  for (let database = from; database > 0; database--) {
    const client = await connectRedis(database)
    if (Number(await client.sendCommand(['DBSIZE'])) === 0) {
      clients.push(client)
      return database
    }
    client.destroy()
  }
  throw new Error('this table needs two empty Redis databases between 1 and 15')
}

async function loaded(client: RedisClient, size: number, signal: AbortSignal): Promise<Loaded> {
  loadedClients.push(client)
  const before = await usedBytes(client)
  for (let from = 0; from < size && !signal.aborted; from += chunk) {
    progress(`loading ${count(from)} of ${count(size)}`)
    const retentionMs = [retention.retentionSeconds, retention.watermarkRetentionSeconds].map(
      (s) => `${s * 1000}`,
    )
    const values = [`{scim:${namespace}}:`, loadedToken, loadedAt, `${from}`, `${chunk}`, ...retentionMs]
    await client.sendCommand(['EVAL', load, '0', ...values])
    if (from === 0) requireRoom(((await usedBytes(client)) - before) / chunk)
  }
  const dispatcher = createDispatcher({ store: new Keyv(new KeyvRedis(client)), namespace, logger: false })
  dispatchers.push(dispatcher)
  const answer = { size, ledger: dispatcher.ledger }
  await requireLoaded(answer)
  return answer
}

function requireRoom(bytesEach: number): void {
  const gb = (bytesEach * many) / 1e9
  if (gb > maxGb) throw new Error(`${count(many)} messages would take ${gb.toFixed(1)} GB of Redis`)
}

await withCleanUp(
  async (signal) => {
    const small = await emptyDatabase(15)
    await emptyDatabase(small - 1)
    const [fewClient, manyClient] = clients as [RedisClient, RedisClient]
    const before = await usedBytes(admin)
    const both = [await loaded(fewClient, few, signal), await loaded(manyClient, many, signal)]
    const gb = ((await usedBytes(admin)) - before) / 1e9
    await compare(
      'Redis',
      both,
      `The same server with two databases, because each database has a hash table of its own. Together ${gb.toFixed(2)} GB.`,
    )
  },
  async () => {
    for (const dispatcher of dispatchers) await dispatcher.close()
    for (const client of loadedClients) await deleteKeys(client, `{scim:${namespace}}:*`)
    for (const client of [admin, ...clients]) client.destroy()
  },
)
