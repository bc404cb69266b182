import type { DriverOptions } from '../driver.ts'
import { type Client, type ConnectionSource, countConnections, hasMethod, withFailures } from './client.ts'
import { followFailovers, type NodeRedisCluster } from './cluster.ts'

/** `@keyv/redis`: a client, a cluster or a sentinel of node-redis, which is not opened before it is used. */
export interface NodeRedis extends ConnectionSource {
  readonly isOpen: boolean
  readonly isReady?: boolean
  connect(): Promise<unknown>
  destroy(): void
  sendCommand(...args: unknown[]): Promise<unknown>
}

/** Several ledgers may share a client, and a cluster that is still being opened must not be used. */
const openings = new WeakMap<NodeRedis, Promise<unknown>>()

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
      // A sentinel sees to it by itself.
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
      // Whether the node that has the key is there is not known before.
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

/** What is still kept by the client when we have long given up need not be sent at all. */
function whileOffline({ storeTimeoutSeconds }: DriverOptions): { timeout: number } {
  return { timeout: Math.ceil(storeTimeoutSeconds * 1000) }
}

/** Opens a client once, whoever asks. */
function opening(client: NodeRedis): Promise<unknown> | undefined {
  const present = openings.get(client)
  if (present || client.isOpen) return present
  // Not the adapter's getClient(), which listens to the client once more with each connection.
  const opened = client.connect().finally(() => openings.delete(client))
  openings.set(client, opened)
  return opened
}

/** What it does by itself when a connection ends, and not when one says nothing any more. */
function reconnect(client: NodeRedis): void {
  // One that is on its way back without us is let be: two attempts at once would get into each other's way.
  if (!client.isReady && !openings.has(client)) return
  if (client.isOpen) client.destroy()
  opening(client)?.catch(() => {})
}

function isNodeRedis(client: unknown): client is NodeRedis {
  return (
    typeof client === 'object' &&
    client !== null &&
    'isOpen' in client &&
    hasMethod(client, 'connect') &&
    hasMethod(client, 'destroy') &&
    hasMethod(client, 'sendCommand')
  )
}

function isCluster(client: NodeRedis): client is NodeRedisCluster {
  return 'slots' in client && hasMethod(client, 'duplicate')
}
