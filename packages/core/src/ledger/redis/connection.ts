import { StoreUnavailableError } from '../../errors.ts'
import { type DriverOptions, inTime } from '../driver.ts'
import { followFailovers, type NodeRedisCluster } from './cluster.ts'

/** The one thing that we ask of a client: to send a command to whoever has the key. */
export interface RedisConnection {
  /** @throws StoreUnavailableError `sent` says whether it may have been carried out all the same */
  call(key: string, command: string[]): Promise<unknown>
  /** Ends what was opened beside the client, which itself stays open. */
  close(): void
}

/** A command that the store refused, or whose answer never came. */
export class RedisUnavailableError extends StoreUnavailableError {
  /** The server's own word (`OOM`, `READONLY`) or the connection's (`ECONNREFUSED`); the log shows it. */
  readonly code: string | undefined
  /** Whether the server may have carried the command out, though we do not know. */
  readonly uncertain: boolean

  constructor(cause: unknown, uncertain: boolean) {
    const code = codeOf(cause)
    super(`Redis did not carry a command out${code === undefined ? '' : `: ${code}`}`, { cause })
    this.code = code
    this.uncertain = uncertain
  }
}

/** While a server is frozen its clients keep every command: more of them than this, and memory is worth more. */
const mostUnanswered = 10_000

type Send = (key: string, command: string[]) => Promise<unknown>

/** What a kind of client needs beyond sending. */
interface Client {
  send: Send
  /** Something to wait for before anything is sent; nothing when the client is open. */
  opening(): Promise<unknown> | undefined
  /** Whether what is sent now goes out at once; else the client keeps it until it has a connection. */
  ready(): boolean
  /** How many connections it has had: over a new one what it had kept goes out, for better or worse. */
  connections(): number
  close?(): void
}

/** The connection that a Keyv adapter has, where it is one of the kinds that we know. */
export function redisConnectionOf(adapter: object, options: DriverOptions): RedisConnection | undefined {
  const client = nodeRedisOf(adapter, options) ?? ioRedisOf(adapter, options)
  return client && connection(client, options)
}

function connection(client: Client, options: DriverOptions): RedisConnection {
  let unanswered = 0
  return {
    async call(key, command) {
      if (unanswered >= mostUnanswered) throw new RedisUnavailableError(tooMany, false)
      const opening = client.opening()
      if (opening) await opened(opening, options)
      const ready = client.ready()
      const connections = client.connections()
      unanswered++
      try {
        return await client.send(key, command)
      } catch (error) {
        const wentOut = !wasKept(error) && (ready || client.connections() !== connections)
        throw new RedisUnavailableError(error, wentOut && !isReply(error))
      } finally {
        unanswered--
      }
    },
    close: () => client.close?.(),
  }
}

const tooMany = Object.assign(new Error('too many commands wait for an answer'), { code: 'TOO_MANY' })

async function opened(opening: Promise<unknown>, options: DriverOptions): Promise<void> {
  try {
    await inTime(options, opening)
  } catch (error) {
    throw error instanceof StoreUnavailableError ? error : new RedisUnavailableError(error, false)
  }
}

interface ConnectionSource {
  on?(event: string, listener: () => void): unknown
}

/** Several ledgers may share a client, which is listened to once. */
const counts = new WeakMap<ConnectionSource, { connections: number }>()

/** Counts a connection when it is made and when it is ready: a client may send before it says so. */
function countConnections(client: ConnectionSource): () => number {
  const count = counts.get(client) ?? { connections: 0 }
  if (!counts.has(client)) {
    counts.set(client, count)
    for (const event of ['connect', 'ready'] as const) client.on?.(event, () => void count.connections++)
  }
  return () => count.connections
}

/** `@keyv/redis`: a client, a cluster or a sentinel of node-redis, which is not opened before it is used. */
export interface NodeRedis extends ConnectionSource {
  readonly isOpen: boolean
  readonly isReady?: boolean
  connect(): Promise<unknown>
  sendCommand(...args: unknown[]): Promise<unknown>
}

/** Several ledgers may share a client, and a cluster that is still being opened must not be used. */
const openings = new WeakMap<NodeRedis, Promise<unknown>>()

function nodeRedisOf(adapter: object, options: DriverOptions): Client | undefined {
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

/** Hands on what was asked, and tells when no node answers it, or not in time: one that is frozen ends no connection. */
function withFailures<T>(asked: Promise<T>, options: DriverOptions, onFailure: () => void): Promise<T> {
  inTime(options, asked).catch((error) => {
    if (!isReply(error)) onFailure()
  })
  return asked
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

function isNodeRedis(client: unknown): client is NodeRedis {
  return (
    typeof client === 'object' &&
    client !== null &&
    'isOpen' in client &&
    hasMethod(client, 'connect') &&
    hasMethod(client, 'sendCommand')
  )
}

function isCluster(client: NodeRedis): client is NodeRedisCluster {
  return 'slots' in client && hasMethod(client, 'duplicate') && hasMethod(client, 'destroy')
}

/** `@keyv/valkey`: iovalkey, a client or a cluster; ioredis has the same shape. It opens itself, and finds the keys. */
interface IoRedis extends ConnectionSource {
  readonly status: string
  call(...command: string[]): Promise<unknown>
  /** A cluster's: reads who has which slot again, one question at a time. */
  refreshSlotsCache?(onEnd: () => void): void
}

function ioRedisOf(adapter: object, options: DriverOptions): Client | undefined {
  if (!('redis' in adapter && isIoRedis(adapter.redis))) return undefined
  const { redis } = adapter
  const refresh = () => redis.refreshSlotsCache?.(() => {})
  return {
    send: (_key, command) => withFailures(redis.call(...command), options, refresh),
    ready: () => redis.status === 'ready',
    connections: countConnections(redis),
    opening: () => undefined,
  }
}

function isIoRedis(client: unknown): client is IoRedis {
  return typeof client === 'object' && client !== null && 'status' in client && hasMethod(client, 'call')
}

function hasMethod(object: object, name: string): boolean {
  return typeof Reflect.get(object, name) === 'function'
}

/** What the server itself said begins with a word in capitals; a connection's errors do not. */
const reply = /^([A-Z]{2,})(?: |$)/

function isReply(error: unknown): boolean {
  return error instanceof Error && reply.test(error.message)
}

/**
 * Whether node-redis has kept the command for want of a connection until its time-out, which ends with its sending.
 * The class says no more than its name.
 */
function wasKept(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'TimeoutError'
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return wasKept(error) ? 'TIMEOUT' : reply.exec(error.message)?.[1]
}
