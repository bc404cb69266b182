import { createRequire } from 'node:module'
import KeyvRedis, { createCluster, createSentinel } from '@keyv/redis'
import KeyvValkey from '@keyv/valkey'
import { createDispatcher, type Dispatcher, type DispatcherOptions } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { Keyv, type KeyvStoreAdapter } from 'keyv'
import { expect, onTestFinished, test } from 'vitest'
import { cutProxy } from '../support/cut-proxy.ts'
import {
  type RedisServer,
  redisIsInstalled,
  startRedis,
  startRedisCluster,
  startRedisShard,
  startSentinels,
} from '../support/redis-server.ts'

/** This client is a dependency of `@keyv/valkey`, which does not export its cluster class. */
const iovalkey: { Cluster: new (nodes: { host: string; port: number }[]) => IovalkeyCluster } = createRequire(
  createRequire(import.meta.url).resolve('@keyv/valkey'),
)('iovalkey')
type IovalkeyCluster = Exclude<ConstructorParameters<typeof KeyvValkey>[0], string>

const namespace = 'failover'
const anyKey = `{scim:${namespace}}:m:`

/** The client is created as docs/stores/redis.md describes it for a cluster. */
const adapters = {
  '@keyv/redis'(nodes: RedisServer[]) {
    const cluster = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) })
    onTestFinished(() => cluster.destroy())
    return new KeyvRedis(cluster)
  },
  '@keyv/valkey'(nodes: RedisServer[]) {
    const cluster = new iovalkey.Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
    const adapter = new KeyvValkey(cluster)
    onTestFinished(() => adapter.disconnect())
    return adapter
  },
}

/** A killed master refuses connections. A disconnected master does not answer. */
const ends = {
  crashes: (master: RedisServer) => master.kill(),
  'is cut off': (master: RedisServer) => master.freeze(),
}

/** A cluster of one shard has no other masters that vote, so its operator sets the new master. */
const topologies = {
  'three shards': { start: () => startRedisCluster(1), promote: () => {} },
  'one shard': {
    start: startRedisShard,
    promote: (replica: RedisServer) => void replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER'),
  },
}

const cases = Object.entries(adapters).flatMap(([adapter, adapterOn]) =>
  Object.entries(topologies).flatMap(([shards, topology]) =>
    Object.entries(ends).map(([happens, end]) => ({ adapter, adapterOn, shards, ...topology, happens, end })),
  ),
)

test.skipIf(!redisIsInstalled).each(cases)(
  'after a master of $shards $happens, nothing hangs and events run on its replica, with $adapter',
  async ({ adapterOn, start, promote, end }) => {
    const cluster = await start()
    onTestFinished(() => cluster.remove())
    const dispatcher = dispatcherOn(adapterOn(cluster.nodes))
    const outcome = () => outcomeOf(dispatcher)
    await expect.poll(outcome, { timeout: 10_000 }).toBe('processed')

    const master = masterOf(cluster.nodes)
    await end(master)
    expect(await outcome()).toBe('store-unavailable')
    promote(cluster.nodes.find((node) => node !== master) ?? master)
    await expect.poll(outcome, { timeout: 60_000 }).toBe('processed')
  },
  120_000,
)

test.skipIf(!redisIsInstalled).each(Object.entries(ends))(
  'after a master under sentinels %s, nothing hangs and events run on its replica, with @keyv/redis',
  async (_happens, end) => {
    const master = await startRedis()
    onTestFinished(() => master.remove())
    const replica = await startRedis('--replicaof', `127.0.0.1 ${master.port}`)
    onTestFinished(() => replica.remove())
    const sentinels = await startSentinels('accounts', master)
    onTestFinished(() => sentinels.remove())
    const sentinel = createSentinel({
      name: 'accounts',
      sentinelRootNodes: sentinels.ports.map((port) => ({ host: '127.0.0.1', port })),
    })
    onTestFinished(() => sentinel.destroy())
    const dispatcher = dispatcherOn(new KeyvRedis(sentinel))
    await expect.poll(() => outcomeOf(dispatcher), { timeout: 10_000 }).toBe('processed')

    await end(master)
    expect(await outcomeOf(dispatcher)).toBe('store-unavailable')
    await expect.poll(() => outcomeOf(dispatcher), { timeout: 60_000 }).toBe('processed')
  },
  120_000,
)

/** Each function creates a client of one server. */
const singles = {
  '@keyv/redis'(url: string) {
    const adapter = new KeyvRedis(url)
    onTestFinished(() => adapter.client.destroy())
    return adapter
  },
  '@keyv/valkey'(url: string) {
    const adapter = new KeyvValkey(url)
    onTestFinished(() => adapter.disconnect())
    return adapter
  },
}

const moves = Object.entries(singles).flatMap(([adapter, adapterOn]) =>
  (['at once', 'after failed retries'] as const).map((when) => ({ adapter, adapterOn, when })),
)

test.skipIf(!redisIsInstalled).each(moves)(
  'when an address moves away from a frozen server $when, a connection that is silent for 30 s is replaced, with $adapter',
  async ({ adapterOn, when }) => {
    const [former, next] = [await startRedis(), await startRedis()]
    for (const server of [former, next]) onTestFinished(() => server.remove())
    const address = await cutProxy(former.port)
    let aheadMs = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs }
    const dispatcher = dispatcherOn(adapterOn(`redis://127.0.0.1:${address.port}`), { clock })
    await expect.poll(() => outcomeOf(dispatcher), { timeout: 10_000 }).toBe('processed')

    former.freeze()
    if (when === 'at once') address.leadTo(next.port)
    expect(await outcomeOf(dispatcher)).toBe('store-unavailable')
    aheadMs = 20_000
    expect(await outcomeOf(dispatcher), 'the server may only be slow').toBe('store-unavailable')
    aheadMs = 30_000
    if (when !== 'at once') {
      for (let tries = 0; tries < 2; tries++) {
        expect(await outcomeOf(dispatcher)).toBe('store-unavailable')
      }
      address.leadTo(next.port)
      aheadMs = 60_000
    }
    await expect.poll(() => outcomeOf(dispatcher), { timeout: 20_000 }).toBe('processed')
  },
  60_000,
)

test.skipIf(!redisIsInstalled)(
  'after a long absence of the server, the connection that its client makes by itself is kept',
  async () => {
    const server = await startRedis()
    onTestFinished(() => server.remove())
    let aheadMs = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs }
    const adapter = singles['@keyv/redis'](server.url)
    const dispatcher = dispatcherOn(adapter, { clock })
    expect(await outcomeOf(dispatcher)).toBe('processed')
    let ended = 0
    adapter.client.on('end', () => ended++)

    await server.kill()
    expect(await outcomeOf(dispatcher)).toBe('store-unavailable')
    aheadMs = 60_000
    const isBack = new Promise((resolve) => adapter.client.once('ready', resolve))
    await server.start()
    await isBack
    expect(await outcomeOf(dispatcher)).toBe('processed')
    expect(ended).toBe(0)
  },
  60_000,
)

test.skipIf(!redisIsInstalled).each(Object.entries(singles))(
  'of two ledgers on one silent client, only one ledger makes a new connection, with %s',
  async (_name, adapterOn) => {
    const server = await startRedis()
    onTestFinished(() => server.remove())
    let aheadMs = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + aheadMs }
    const adapter = adapterOn(server.url)
    const dispatchers = ['one', 'other'].map((namespace) => dispatcherOn(adapter, { clock, namespace }))
    const outcomes = () => Promise.all(dispatchers.map(outcomeOf))
    expect(await outcomes()).toEqual(['processed', 'processed'])

    server.freeze()
    expect(await outcomes()).toEqual(['store-unavailable', 'store-unavailable'])
    aheadMs = 30_000
    expect(await outcomes()).toEqual(['store-unavailable', 'store-unavailable'])
    server.thaw()
    await expect.poll(outcomes, { timeout: 20_000 }).toEqual(['processed', 'processed'])
    const others = () =>
      server
        .cli('CLIENT', 'LIST')
        .split('\n')
        .filter((line) => !/^$| cmd=client\|list /.test(line))
    await expect.poll(others, { timeout: 20_000 }).toHaveLength(1)
  },
  60_000,
)

test.skipIf(!redisIsInstalled)(
  'a process that starts without a running master uses the replica, and close() ends all connections to the replica',
  async () => {
    const { nodes, remove } = await startRedisShard()
    onTestFinished(remove)
    const [master, replica] = nodes
    if (!(master && replica)) throw new Error('no nodes')
    await master.kill()
    const dispatcher = dispatcherOn(adapters['@keyv/redis'](nodes))
    const isUp = () =>
      dispatcher.ledger.now().then(
        () => true,
        () => false,
      )
    expect(await isUp()).toBe(false)

    replica.cli('CLUSTER', 'FAILOVER', 'TAKEOVER')
    await expect.poll(isUp, { timeout: 20_000 }).toBe(true)
    expect(connectionsTo(replica)).toBeGreaterThan(0)
    await dispatcher.close()
    await expect.poll(() => connectionsTo(replica)).toBe(0)
  },
  60_000,
)

test.skipIf(!redisIsInstalled)(
  'a command to a killed master without a successor is not queued, and has not run',
  async () => {
    const cluster = await startRedisCluster()
    onTestFinished(() => cluster.remove())
    const adapter = adapters['@keyv/redis'](cluster.nodes)
    const dispatcher = dispatcherOn(adapter)
    const request = { token: 'a', messageId: crypto.randomUUID(), leaseSeconds: 600 }
    await expect
      .poll(async () => (await dispatcher.ledger.begin(request)).state, { timeout: 10_000 })
      .toBe('begun')
    const broken = new Promise((resolve) => adapter.client.once('node-error', resolve))
    await masterOf(cluster.nodes).kill()
    await broken

    await expect(dispatcher.ledger.begin(request)).rejects.toMatchObject({
      code: 'TIMEOUT',
      uncertain: false,
    })
  },
  60_000,
)

function dispatcherOn(adapter: KeyvStoreAdapter, options: DispatcherOptions = {}): Dispatcher {
  const dispatcher = createDispatcher({
    store: new Keyv(adapter),
    namespace,
    logger: false,
    storeTimeoutSeconds: 1,
    onUserUpserted: () => {},
    ...options,
  })
  onTestFinished(() => dispatcher.close({ graceSeconds: 0 }))
  return dispatcher
}

async function outcomeOf(dispatcher: Dispatcher) {
  const event = sampleEvent('organization.directory.user_created')
  return (await dispatcher.dispatch({ ...event, data: { ...event.data, id: crypto.randomUUID() } })).outcome
}

/** Returns the node that accepts writes of the namespace. */
function masterOf(nodes: RedisServer[]): RedisServer {
  const master = nodes.find((node) => node.cli('SET', anyKey, '') === 'OK')
  if (!master) throw new Error('no node has the slot')
  master.cli('DEL', anyKey)
  return master
}

function connectionsTo(node: RedisServer): number {
  const clients = node.cli('CLIENT', 'LIST', 'TYPE', 'normal').split('\n')
  return clients.filter((client) => !client.includes('cmd=client|list')).length
}
