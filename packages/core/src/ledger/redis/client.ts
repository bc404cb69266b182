import { type DriverOptions, inTime } from '../driver.ts'

/** The common interface of all kinds of clients. */
export interface Client {
  send(key: string, command: string[]): Promise<unknown>
  /** A promise to await before anything is sent; `undefined` if the client is open. */
  opening(): Promise<unknown> | undefined
  /** Whether a command goes out at once. Otherwise the client keeps it until it has a connection. */
  ready(): boolean
  /** The number of connections so far. Kept commands go out when a new connection is made. */
  connections(): number
  /** Drops a connection that is open and silent, and makes another. */
  reconnect?(): void
  /** Ends clients that were opened in addition to the given one. */
  close?(): void
}

export interface ConnectionSource {
  on?(event: string, listener: () => void): unknown
}

/** The common part of node-redis's client, cluster and sentinel. */
export interface NodeRedis extends ConnectionSource {
  readonly isOpen: boolean
  readonly isReady?: boolean
  connect(): Promise<unknown>
  destroy(): void
  sendCommand(...args: unknown[]): Promise<unknown>
}

export interface NodeRedisCluster extends NodeRedis {
  duplicate(): NodeRedisCluster
}

/** Several ledgers may share a client, and one listener is enough. */
const counts = new WeakMap<ConnectionSource, { connections: number }>()

/**
 * Counts a connection when it is made and when it is ready, because a client may send between the two. Also counts when
 * it is dropped, so that another ledger on the same client does not drop its successor.
 */
export function countConnections(client: ConnectionSource): () => number {
  const count = counts.get(client) ?? { connections: 0 }
  if (!counts.has(client)) {
    counts.set(client, count)
    for (const event of ['connect', 'ready', 'end'] as const)
      client.on?.(event, () => void count.connections++)
  }
  return () => count.connections
}

/** Returns `asked`. Calls `onFailure` if no node answers it in time: a frozen node ends no connection. */
export function withFailures<T>(
  asked: Promise<T>,
  options: DriverOptions,
  onFailure: () => void,
): Promise<T> {
  inTime(options, asked).catch((error) => {
    if (!isReply(error)) onFailure()
  })
  return asked
}

export function hasMethod(object: object, name: string): boolean {
  return typeof Reflect.get(object, name) === 'function'
}

/** The server's own errors begin with a word in capitals; a connection's errors do not. */
const reply = /^([A-Z]{2,})(?: |$)/

/** The server's own word for a refusal (`OOM`, `READONLY`); `undefined` if the error is not a reply. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof Error ? reply.exec(error.message)?.[1] : undefined
}

export function isReply(error: unknown): boolean {
  return replyCode(error) !== undefined
}

/**
 * Whether node-redis kept the command until its time-out, for lack of a connection. The time-out ends when the command
 * is sent. Only the name of the error's class shows it.
 */
export function wasKept(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'TimeoutError'
}
