import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import KeyvRedis, { createCluster } from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { type Clock, createDispatcher, type Dispatcher, type Ledger, type Store } from '@scalekit-scim/core'
import type { Claim } from '@scalekit-scim/core/adapter'
import { systemClock } from '@scalekit-scim/core/internal'
import { ledgerConformance } from '@scalekit-scim/core/testing'
import Keyv5 from 'keyv'
import Keyv6 from 'keyv6'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import {
  type RedisCluster,
  redisIsInstalled,
  sharedRedis,
  startRedis,
  startRedisCluster,
} from '../support/redis-server.ts'

/** This client is a dependency of `@keyv/valkey`, which does not export its cluster class. */
const iovalkey: { Cluster: new (nodes: { host: string; port: number }[]) => IovalkeyCluster } = createRequire(
  createRequire(import.meta.url).resolve('@keyv/valkey'),
)('iovalkey')
type IovalkeyCluster = Exclude<ConstructorParameters<typeof KeyvValkey>[0], string>

const redis = await sharedRedis()
const namespace = `conformance-${randomUUID()}`
let cluster: RedisCluster
const ended: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  if (redis) cluster = await startRedisCluster()
})

afterAll(async () => {
  await Promise.all(ended.map((end) => end()))
  await cluster?.remove()
  await redis?.remove()
})

/** Each instance has its own Keyv, adapter and client, like separate processes. */
const stores: Record<string, () => Store> = {
  '@keyv/redis in Keyv 5': () => new Keyv5(onRedis()),
  '@keyv/redis in Keyv 6': () => new Keyv6({ store: onRedis() as never }) as Store,
  '@keyv/redis on a cluster': () => {
    const client = createCluster({ rootNodes: cluster.nodes.map(({ url }) => ({ url })) })
    return new Keyv5(ending(new KeyvRedis(client)))
  },
  '@keyv/valkey in Keyv 5 (on a Redis server)': () => new Keyv5(onValkey()),
  '@keyv/valkey in Keyv 6 (on a Redis server)': () => new Keyv6({ store: onValkey() as never }) as Store,
  '@keyv/valkey on a cluster (of Redis servers)': () => {
    const client = new iovalkey.Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    return new Keyv5(ending(new KeyvValkey(client)))
  },
}

function onRedis() {
  return ending(new KeyvRedis(redis?.url))
}

function onValkey() {
  return ending(new KeyvValkey(redis?.url ?? ''))
}

function ending<Adapter extends { disconnect(): Promise<unknown> }>(adapter: Adapter): Adapter {
  ended.push(() => adapter.disconnect())
  return adapter
}

function instance(store: Store, skewMs = 0): Dispatcher {
  const clock: Clock = { ...systemClock, now: () => Date.now() + skewMs }
  const dispatcher = createDispatcher({
    logger: false,
    store,
    namespace,
    clock,
    storeTimeoutSeconds: 5,
    watermarkRetentionSeconds: 600,
  })
  ended.unshift(() => dispatcher.close())
  return dispatcher
}

describe.skipIf(!redis).each(Object.entries(stores))('the contract of a ledger, %s', (_name, store) => {
  const open = ({ skewMs }: { skewMs: number }) => instance(store(), skewMs).ledger
  for (const { name, run } of ledgerConformance(open, { atomic: true })) test(name, run)

  test('the ledger is atomic across processes, for messages and for order', () => {
    expect(instance(store()).guarantee).toEqual({ message: 'atomic', order: 'atomic' })
  })

  test('the ledger uses the clock of the server that has the keys, not its own clock', async () => {
    const [here, ahead] = [instance(store()).ledger, instance(store(), 3_600_000).ledger]
    const distanceNanos = BigInt(await ahead.now()) - BigInt(await here.now())
    expect(distanceNanos < 60_000_000_000n).toBe(true)
  })
})

describe.skipIf(!redisIsInstalled)('an account of Redis', () => {
  test.each(['@keyv/redis', '@keyv/valkey'])(
    'an account needs only the rights in docs/stores/redis.md, with %s',
    async (name) => {
      const server = await startRedis()
      ended.push(() => server.remove())
      const page = await readFile(new URL('../../docs/stores/redis.md', import.meta.url), 'utf8')
      const rights = /^ACL SETUSER scim on >secret (.*)$/m.exec(page)?.[1]?.split(' ') ?? []
      expect(rights).not.toEqual([])
      server.cli('ACL', 'SETUSER', 'scim', 'on', '>secret', ...rights)
      server.cli('ACL', 'LOG', 'RESET')

      const url = `redis://scim:secret@127.0.0.1:${server.port}`
      const adapter = name === '@keyv/redis' ? new KeyvRedis(url) : new KeyvValkey(url)
      const { ledger } = instance(new Keyv5(ending(adapter)))
      const resource = 'user:org:1'
      const claim = await begun(ledger, { messageId: 'msg', resource, occurredAt: '1767603600000000001' })
      expect(await ledger.renew(claim, 60)).toBe(true)
      expect(await ledger.commit(claim, { retentionSeconds: 60, watermarkRetentionSeconds: 60 })).toBe('ok')
      await ledger.release(claim)
      expect(await ledger.forget('msg')).toBe(true)
      expect(await ledger.forgetResource(resource)).toBe(true)
      const record = ledger.record('sync')
      expect(await record.compareAndSet(undefined, 'a', 60)).toBe(true)
      expect(await record.read()).toBe('a')
      await ledger.now()
      const denied = server.cli('ACL', 'LOG')
      expect(denied).not.toMatch(/evalsha|eval|\bget|\bset\b|del|pexpire|time\n/i)
    },
  )
})

describe.skipIf(!redis)('the data in Redis', () => {
  test('the data has keys in one hash slot, which all expire, and times with all their nanoseconds', async () => {
    const { ledger } = instance(stores['@keyv/redis in Keyv 5']?.() as Store)
    const [messageId, resource] = [`msg-${randomUUID()}`, `user:org:${randomUUID()}`]
    const occurredAt = '1767603600000000001'
    const claim = await begun(ledger, { messageId, resource, occurredAt })
    const keys = [`{scim:${namespace}}:m:${messageId}`, `{scim:${namespace}}:r:${resource}`]
    const values = () => keys.map((key) => redis?.cli('GET', key))
    expect(values()).toEqual(['ctoken', expect.stringMatching(`^${claim.fence}-\\d{16}token$`)])

    await ledger.commit(claim, { retentionSeconds: 60.0005, watermarkRetentionSeconds: 60.0005 })
    expect(values()).toEqual(['dtoken', expect.stringMatching(`^${claim.fence}w${occurredAt}\\d{16}$`)])
    for (const key of keys) expect(Number(redis?.cli('PTTL', key))).toBeGreaterThan(0)
  })

  test('the data causes one warning if the server may evict it', async () => {
    const evicting = await startRedis('--maxmemory-policy', 'allkeys-lru')
    ended.push(() => evicting.remove())
    const logger = recordingLogger()
    const store = new Keyv5(ending(new KeyvRedis(evicting.url)))
    const dispatcher = createDispatcher({ logger, store, namespace })
    ended.unshift(() => dispatcher.close())
    for (let times = 0; times < 3; times++) await dispatcher.ledger.now()
    await expect
      .poll(() => logger.lines.filter(({ fields }) => fields.policy === 'allkeys-lru'))
      .toHaveLength(1)
  })
})

async function begun(
  ledger: Ledger,
  request: { messageId: string; resource: string; occurredAt: string },
): Promise<Claim> {
  const answer = await ledger.begin({ token: 'token', leaseSeconds: 60, ...request })
  if (answer.state !== 'begun') throw new Error(answer.state)
  return { token: 'token', deletion: false, ...request, fence: answer.fence, occurredAt: answer.occurredAt }
}
