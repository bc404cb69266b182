import { type DriverOptions, inTime } from '../driver.ts'

/** What a kind of client needs beyond sending. */
export interface Client {
  send(key: string, command: string[]): Promise<unknown>
  /** Something to wait for before anything is sent; nothing when the client is open. */
  opening(): Promise<unknown> | undefined
  /** Whether what is sent now goes out at once; else the client keeps it until it has a connection. */
  ready(): boolean
  /** How many connections it has had: over a new one what it had kept goes out, for better or worse. */
  connections(): number
  /** Gives up a connection that is open and says nothing, and makes another. */
  reconnect?(): void
  /** Ends what was opened beside the one that we were given. */
  close?(): void
}

export interface ConnectionSource {
  on?(event: string, listener: () => void): unknown
}

/** Several ledgers may share a client, which is listened to once. */
const counts = new WeakMap<ConnectionSource, { connections: number }>()

/**
 * Counts a connection when it is made and when it is ready: a client may send before it says so. And when it is given
 * up, so that another ledger on the client lets the one that is being made in its place be.
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

/** Hands on what was asked, and tells when no node answers it, or not in time: one that is frozen ends no connection. */
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

/** What the server itself said begins with a word in capitals; a connection's errors do not. */
const reply = /^([A-Z]{2,})(?: |$)/

/** The server's own word for what it refused (`OOM`, `READONLY`); nothing for what it did not answer. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof Error ? reply.exec(error.message)?.[1] : undefined
}

export function isReply(error: unknown): boolean {
  return replyCode(error) !== undefined
}

/**
 * Whether node-redis has kept the command for want of a connection until its time-out, which ends with its sending.
 * The class says no more than its name.
 */
export function wasKept(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'TimeoutError'
}
