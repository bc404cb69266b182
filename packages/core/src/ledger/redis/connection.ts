import { StoreUnavailableError } from '../../base/errors.ts'
import { type DriverOptions, inTime } from '../driver.ts'
import { Silence } from '../silence.ts'
import { type Client, isReply, replyCode, wasKept } from './client.ts'
import { ioRedisOf } from './io-redis.ts'
import { nodeRedisOf } from './node-redis.ts'

export interface RedisConnection {
  /**
   * Sends a command to the node that has the key.
   * @throws RedisUnavailableError
   */
  call(key: string, command: string[]): Promise<unknown>
  /**
   * Closes the clients that were opened in addition to the application's client. The application's client stays open.
   */
  close(): void
}

/** A command that the store refused, or whose answer never arrived. */
export class RedisUnavailableError extends StoreUnavailableError {
  /**
   * The first word of the server's error (`OOM`, `READONLY`), or the code of the connection's error (`ECONNREFUSED`).
   * The log shows it.
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

/** While a server is frozen, its clients keep every command. This limit bounds the memory of the clients. */
const maxUnanswered = 10_000
const tooMany = Object.assign(new Error('too many commands wait for an answer'), { code: 'TOO_MANY' })

/** The connection of a Keyv adapter, if the adapter is of a known kind. */
export function redisConnectionOf(adapter: object, options: DriverOptions): RedisConnection | undefined {
  const client = nodeRedisOf(adapter, options) ?? ioRedisOf(adapter, options)
  return client && connection(client, options)
}

function connection(client: Client, options: DriverOptions): RedisConnection {
  let unanswered = 0
  let connectionsBefore = 0
  const silence = new Silence(options.clock)
  const dropDead = () => {
    const connections = client.connections()
    if (connections !== connectionsBefore) silence.end()
    connectionsBefore = connections
    if (silence.isTooLong()) client.reconnect?.()
  }
  return {
    async call(key, command) {
      dropDead()
      if (unanswered >= maxUnanswered) throw new RedisUnavailableError(tooMany, false)
      const opening = client.opening()
      if (opening) await opened(opening, options)
      const ready = client.ready()
      const connections = client.connections()
      unanswered++
      try {
        const reply = await client.send(key, command)
        silence.end()
        return reply
      } catch (error) {
        if (isReply(error)) silence.end()
        const wentOut = !wasKept(error) && (ready || client.connections() !== connections)
        throw new RedisUnavailableError(error, wentOut && !isReply(error))
      } finally {
        unanswered--
      }
    },
    close: () => client.close?.(),
  }
}

async function opened(opening: Promise<unknown>, options: DriverOptions): Promise<void> {
  try {
    await inTime(options, opening)
  } catch (error) {
    throw error instanceof StoreUnavailableError ? error : new RedisUnavailableError(error, false)
  }
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return wasKept(error) ? 'TIMEOUT' : replyCode(error)
}
