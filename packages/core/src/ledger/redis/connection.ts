import { StoreUnavailableError } from '../../base/errors.ts'
import { type DriverOptions, inTime } from '../driver.ts'
import { type Client, isReply, replyCode, wasKept } from './client.ts'
import { ioRedisOf } from './io-redis.ts'
import { nodeRedisOf } from './node-redis.ts'

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

/**
 * A connection over which nothing has come for so long, though we asked, is dead: a host that is gone ends none, and its
 * address may have long led to another.
 */
const deadAfterMs = 30_000
/** While a server is frozen its clients keep every command: more of them than this, and memory is worth more. */
const mostUnanswered = 10_000

/** The connection that a Keyv adapter has, where it is one of the kinds that we know. */
export function redisConnectionOf(adapter: object, options: DriverOptions): RedisConnection | undefined {
  const client = nodeRedisOf(adapter, options) ?? ioRedisOf(adapter, options)
  return client && connection(client, options)
}

function connection(client: Client, options: DriverOptions): RedisConnection {
  let unanswered = 0
  /** When we first asked over the present connection since something was last heard. */
  let unheard: { sinceMs: number; connections: number } | undefined
  const giveUpWhatIsDead = () => {
    const nowMs = options.clock.monotonic()
    const connections = client.connections()
    if (unheard?.connections !== connections) unheard = { sinceMs: nowMs, connections }
    if (nowMs - unheard.sinceMs < deadAfterMs) return
    unheard = undefined
    client.reconnect?.()
  }
  return {
    async call(key, command) {
      giveUpWhatIsDead()
      if (unanswered >= mostUnanswered) throw new RedisUnavailableError(tooMany, false)
      const opening = client.opening()
      if (opening) await opened(opening, options)
      const ready = client.ready()
      const connections = client.connections()
      unanswered++
      try {
        const reply = await client.send(key, command)
        unheard = undefined
        return reply
      } catch (error) {
        if (isReply(error)) unheard = undefined
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

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return wasKept(error) ? 'TIMEOUT' : replyCode(error)
}
