import { callBack } from '../../base/application-calls.ts'
import { hasMethods } from '../../base/objects.ts'
import { type DriverOptions, inTime } from '../driver.ts'
import { type Client, type ConnectionSource, countConnections, withFailures } from './connection.ts'

/** The common part of node-redis's client, cluster and sentinel. */
interface NodeRedis extends ConnectionSource {
  readonly isOpen: boolean
  readonly isReady?: boolean
  connect(): Promise<unknown>
  destroy(): void
  sendCommand(...args: unknown[]): Promise<unknown>
}

interface NodeRedisCluster extends NodeRedis {
  duplicate(): NodeRedisCluster
}

/**
 * The clients that are not open yet. Ledgers that share a client wait for the same promise. Before a cluster is open,
 * it cannot be used.
 */
const openings = new WeakMap<NodeRedis, Promise<unknown>>()

/**
 * The client of `@keyv/redis`: a client, a cluster or a sentinel of node-redis. The ledger opens the client on first
 * use.
 */
export function nodeRedisOf(adapter: object, options: DriverOptions): Client | undefined {
  if (!('getClient' in adapter && 'client' in adapter && isNodeRedis(adapter.client))) return undefined
  const { client } = adapter
  if (isCluster(client)) return clusterOf(client, options)
  const ready = () => client.isReady !== false
  const optionsNow = () => (ready() ? undefined : whileOffline(options))
  const isSentinel = 'getSentinelNode' in client
  return {
    send: isSentinel
      ? (_key, command) => client.sendCommand(false, command)
      : (_key, command) => client.sendCommand(command, optionsNow()),
    ready,
    connections: countConnections(client),
    opening: () => opening(client),
    reconnect() {
      // A sentinel reconnects automatically.
      if (!isSentinel) reconnect(client)
    },
  }
}

function clusterOf(given: NodeRedisCluster, options: DriverOptions): Client {
  const followed = followFailovers(given, options)
  const watched = <T>(cluster: NodeRedisCluster, asked: Promise<T>) =>
    withFailures(asked, options, () => followed.failed(cluster))
  return {
    send(key, command) {
      const { current } = followed
      // The command has a time-out, because the node that has the key can be unreachable.
      return watched(current, current.sendCommand(key, false, command, whileOffline(options)))
    },
    ready: () => true,
    connections: countConnections(given),
    opening() {
      const { current } = followed
      const opened = opening(current)
      return opened && watched(current, opened)
    },
    close: followed.close,
  }
}

/**
 * node-redis's cluster client reads the owners of the slots again only after the answer MOVED. A stopped or frozen node
 * never answers MOVED. So after a failure, this function opens a copy of the client, which reads the owners from the
 * root nodes. The ledger then sends its commands to the copy. When another copy replaces a copy, or the ledger closes,
 * this function closes the copy. The given client is not changed.
 */
function followFailovers(given: NodeRedisCluster, options: DriverOptions) {
  let current = given
  let isCopying = false
  let isClosed = false

  async function copy(): Promise<void> {
    const fresh = given.duplicate()
    fresh.on?.('error', () => {})
    const connecting = fresh.connect()
    try {
      // The wait has a limit. The copy waits for all masters, including a stopped master that a node lists.
      await inTime(options, connecting)
      if (isClosed) end(fresh)
      else replaceBy(fresh)
    } catch {
      end(fresh)
      // If a frozen node answers later, the copy opens connections. So close the copy again.
      connecting.then(() => end(fresh)).catch(() => {})
    }
  }

  function replaceBy(fresh: NodeRedisCluster): void {
    const former = current
    current = fresh
    if (former !== given) end(former)
  }

  return {
    /** The cluster client that receives the commands now. */
    get current() {
      return current
    },
    /** If `cluster` failed or did not answer in time, call this function. */
    failed(cluster: NodeRedisCluster) {
      if (cluster !== current || isCopying || isClosed) return
      isCopying = true
      // No caller waits for the copy. If the copy fails, the next failed command makes another copy.
      copy()
        .catch(() => {})
        .finally(() => {
          isCopying = false
        })
    },
    close() {
      isClosed = true
      replaceBy(given)
    },
  }
}

/** Closes a cluster client. Ignores the error of a node that was already closed. */
function end(cluster: NodeRedisCluster): void {
  callBack(() => cluster.destroy())
}

/** Makes the client drop a command that is still queued after our own time-out. */
function whileOffline({ storeTimeoutSeconds }: DriverOptions): { timeout: number } {
  return { timeout: Math.ceil(storeTimeoutSeconds * 1000) }
}

/** Opens a client only once for several ledgers. */
function opening(client: NodeRedis): Promise<unknown> | undefined {
  const present = openings.get(client)
  if (present || client.isOpen) return present
  // The adapter's getClient() is not used, because it adds listeners with each connection.
  const opened = client.connect().finally(() => openings.delete(client))
  openings.set(client, opened)
  return opened
}

/** Replaces a connection that does not answer. A client does not automatically replace an open connection. */
function reconnect(client: NodeRedis): void {
  // The client is already reconnecting: a second reconnect would disturb the first.
  if (!client.isReady && !openings.has(client)) return
  if (client.isOpen) client.destroy()
  opening(client)?.catch(() => {})
}

function isNodeRedis(client: unknown): client is NodeRedis {
  return hasMethods(client, ['connect', 'destroy', 'sendCommand']) && 'isOpen' in client
}

function isCluster(client: NodeRedis): client is NodeRedisCluster {
  return 'slots' in client && hasMethods(client, ['duplicate'])
}
