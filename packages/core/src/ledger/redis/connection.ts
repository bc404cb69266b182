import { StoreUnavailableError } from '../../base/errors.ts'
import { type DriverOptions, inTime } from '../driver.ts'
import { Silence } from '../silence.ts'

/** The common interface of all kinds of clients. */
export interface Client {
  send(key: string, command: string[]): Promise<unknown>
  /** A promise that callers await before they send a command. `undefined` for a client that is already open. */
  opening(): Promise<unknown> | undefined
  /**
   * Whether the client sends a command immediately. If `false`, the client queues the command until it has a
   * connection.
   */
  ready(): boolean
  /** The number of connections made so far. When the client makes a new connection, it sends the queued commands. */
  connections(): number
  /** Replaces a connection that is open but does not answer. */
  reconnect?(): void
  /** Closes the clients that the ledger opened. Does not close the application's client. */
  close?(): void
}

/**
 * Sends a command to the node that has the key.
 * @param mark The text with which the reply begins. The function removes the mark from the reply.
 * @throws RedisUnavailableError
 */
export type RedisCall = (key: string, command: string[], mark?: string) => Promise<unknown>

/** The error for a command that the store refused or never answered. */
export class RedisUnavailableError extends StoreUnavailableError {
  /**
   * The first word of the server's error (`OOM`, `READONLY`), or the code of the connection's error (`ECONNREFUSED`).
   * The log shows this code.
   */
  readonly code: string | undefined
  /** Whether the server may have run the command. */
  readonly uncertain: boolean

  constructor(cause: unknown, uncertain: boolean) {
    const code = codeOf(cause)
    super(`Redis did not run a command${code === undefined ? '' : `: ${code}`}`, { cause })
    this.code = code
    this.uncertain = uncertain
  }
}

/** While a server does not answer, its clients queue every command. This limit bounds the memory of the clients. */
const maxUnanswered = 10_000
const tooMany = Object.assign(new Error('too many commands wait for an answer'), { code: 'TOO_MANY' })

const strayReply = Object.assign(new Error('the reply is to another command'), { code: 'STRAY_REPLY' })

/** Returns a function that calls the client. If the server stops answering, the function replaces the connection. */
export function callOver(client: Client, options: DriverOptions): RedisCall {
  let unanswered = 0
  let connectionsBefore = 0
  const silence = new Silence(options.clock)
  const dropDead = () => {
    const connections = client.connections()
    if (connections !== connectionsBefore) silence.end()
    connectionsBefore = connections
    if (silence.isTooLong()) client.reconnect?.()
  }
  return async (key, command, mark = '') => {
    dropDead()
    if (unanswered >= maxUnanswered) throw new RedisUnavailableError(tooMany, false)
    const opening = client.opening()
    if (opening) await inTime(options, opening).catch(throwUnavailable)
    const ready = client.ready()
    const connections = client.connections()
    unanswered++
    try {
      const reply = await client.send(key, command)
      silence.end()
      if (mark === '') return reply
      if (String(reply).startsWith(mark)) return String(reply).slice(mark.length)
      // If node-redis 5.12 reads a reset while a command waits, it later gives the command the reply to another command.
      // From then on, all replies of the connection are shifted.
      if (client.connections() === connections) client.reconnect?.()
      throw strayReply
    } catch (error) {
      if (isReply(error)) silence.end()
      const wentOut = !wasKept(error) && (ready || client.connections() !== connections)
      throw new RedisUnavailableError(error, wentOut && !isReply(error))
    } finally {
      unanswered--
    }
  }
}

function throwUnavailable(error: unknown): never {
  throw error instanceof StoreUnavailableError ? error : new RedisUnavailableError(error, false)
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return wasKept(error) ? 'TIMEOUT' : replyCode(error)
}

export interface ConnectionSource {
  on?(event: string, listener: () => void): unknown
}

/** Several ledgers can share a client, so they also share its count and its listeners. */
const counts = new WeakMap<ConnectionSource, { connections: number }>()

/**
 * Counts each connection when it is made, and again when it is ready. A client can send between these two events. The
 * function also counts dropped connections. Without this count, another ledger on the same client could drop the next
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
 * Returns the promise `asked`. If no node answers in time, calls `onFailure`, because a frozen node does not end its
 * connections.
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

/** Only the server's own errors begin with a word in capitals. */
const reply = /^([A-Z]{2,})(?: |$)/

/**
 * Returns the first word of the server's error reply, such as `OOM` or `READONLY`. If the error is not a reply, returns
 * `undefined`.
 */
function replyCode(error: unknown): string | undefined {
  return error instanceof Error ? reply.exec(error.message)?.[1] : undefined
}

function isReply(error: unknown): boolean {
  return replyCode(error) !== undefined
}

/**
 * Whether node-redis queued the command until its time-out, because there was no connection. After the client has sent
 * the command, the time-out no longer applies. Only the name of the error's class shows that there was no connection.
 */
function wasKept(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'TimeoutError'
}
