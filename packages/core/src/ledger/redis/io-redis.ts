import { hasMethods } from '../../base/objects.ts'
import type { DriverOptions } from '../driver.ts'
import { type Client, type ConnectionSource, countConnections, withFailures } from './connection.ts'

/**
 * The client of `@keyv/valkey`: a client or a cluster of iovalkey, which has the same API as ioredis. The client
 * connects automatically.
 */
interface IoRedis extends ConnectionSource {
  readonly status: string
  call(...command: string[]): Promise<unknown>
  disconnect(reconnect: boolean): void
  /** Only a cluster has this method. The method reads the owners of the slots again, with one call at a time. */
  refreshSlotsCache?(onEnd: () => void): void
}

export function ioRedisOf(adapter: object, options: DriverOptions): Client | undefined {
  if (!('redis' in adapter && isIoRedis(adapter.redis))) return undefined
  const { redis } = adapter
  const isCluster = redis.refreshSlotsCache !== undefined
  const refresh = () => redis.refreshSlotsCache?.(() => {})
  return {
    send: isCluster
      ? (_key, command) => withFailures(redis.call(...command), options, refresh)
      : (_key, command) => redis.call(...command),
    ready: () => redis.status === 'ready',
    connections: countConnections(redis),
    opening: () => undefined,
    reconnect() {
      const isConnected = redis.status === 'ready' || redis.status === 'connect'
      if (!isCluster && isConnected) redis.disconnect(true)
    },
  }
}

function isIoRedis(client: unknown): client is IoRedis {
  return hasMethods(client, ['call']) && 'status' in client
}
