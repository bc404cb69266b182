import { type DriverOptions, inTime } from '../driver.ts'

/** The common interface of all kinds of clients. */
export interface Client {
  send(key: string, command: string[]): Promise<unknown>
  /** A promise to await before anything is sent. `undefined` if the client is already open. */
  opening(): Promise<unknown> | undefined
  /** Whether a command is sent at once. If not, the client keeps the command until it has a connection. */
  ready(): boolean
  /** The number of connections made so far. When the client makes a new connection, it sends the kept commands. */
  connections(): number
  /** Drops a connection that is open but silent, and makes a new one. */
  reconnect?(): void
  /** Closes the clients that were opened in addition to the given client. */
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

/** Several ledgers may share a client, so they also share its count and its listeners. */
const counts = new WeakMap<ConnectionSource, { connections: number }>()

/**
 * Counts each connection when it is made, and again when it is ready, because a client may send between these two
 * events. Also counts when a connection is dropped, so that another ledger on the same client does not drop the next
 * connection.
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

/**
 * Returns `asked`. Calls `onFailure` if no node answers in time, because a frozen node does not end its connections.
 */
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

/** The server's own errors begin with a word in capitals. Connection errors do not. */
const reply = /^([A-Z]{2,})(?: |$)/

/**
 * Returns the first word of the server's error reply, such as `OOM` or `READONLY`. Returns `undefined` if the error is
 * not a reply.
 */
export function replyCode(error: unknown): string | undefined {
  return error instanceof Error ? reply.exec(error.message)?.[1] : undefined
}

export function isReply(error: unknown): boolean {
  return replyCode(error) !== undefined
}

/**
 * Whether node-redis kept the command until its time-out, because there was no connection. The time-out no longer
 * applies once the command is sent. Only the name of the error's class shows this case.
 */
export function wasKept(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'TimeoutError'
}
