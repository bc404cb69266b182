import { delay } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import { type Instant, newest, plusSeconds } from '../../base/instant.ts'
import { type DrivenLedger, type Driver, type DriverOptions, inTime } from '../driver.ts'
import { syncMarginSeconds } from '../judge.ts'
import type { BeginAnswer, BeginRequest, Claim, LedgerRecord, Retention } from '../ledger.ts'
import { type RedisConnection, RedisUnavailableError, redisConnectionOf } from './connection.ts'
import * as scripts from './scripts.ts'

/** Redis and Valkey, by `@keyv/redis` and `@keyv/valkey`. */
export const redisDriver: Driver = {
  open(adapter, options) {
    const connection = redisConnectionOf(adapter, options)
    return connection && new RedisLedger(connection, options)
  },
}

/** A fence of 16 digits and an instant of 19. */
const begunLength = 35
/** How long after its connection was lost in the middle of a begin we ask again. */
const askAgainMs = 50

/**
 * A ledger on Redis. Each verb is one script and one round trip; the server's clock is the only one. Keys are ours,
 * whatever the Keyv does with its own, and share one hash slot: `{scim:<namespace>}:m:<id>`, `…:r:<resource>` and
 * `…:s:<record>`.
 */
class RedisLedger implements DrivenLedger {
  readonly guarantee = { message: 'atomic', order: 'atomic' } as const
  readonly #connection: RedisConnection
  readonly #options: DriverOptions
  readonly #prefix: string
  readonly #keepMs: string
  readonly #closing = new AbortController()
  #policyAsked = false

  constructor(connection: RedisConnection, options: DriverOptions) {
    this.#connection = connection
    this.#options = options
    this.#prefix = `{scim:${options.namespace}}:`
    this.#keepMs = wholeMs(options.watermarkRetentionSeconds)
  }

  close(): void {
    this.#closing.abort()
    this.#connection.close()
  }

  async begin(request: BeginRequest): Promise<BeginAnswer> {
    const { token, leaseSeconds, deletion, observedAt } = request
    const args = [token, wholeMs(leaseSeconds), this.#keepMs, countsAs(request) ?? '']
    if (deletion || observedAt !== undefined) args.push(deletion ? '1' : '0')
    if (observedAt !== undefined) args.push(observedAt)
    const reply = await this.#beginUntilSure(leaseSeconds, this.#keysOf(request), args)
    switch (reply) {
      case 'duplicate':
      case 'in-flight':
      case 'busy':
      case 'stale':
        return { state: reply }
    }
    if (reply.length !== begunLength) throw new StoreUnavailableError('Redis answered oddly')
    return { state: 'begun', fence: Number(reply.slice(0, 16)), occurredAt: reply.slice(16) }
  }

  async renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const args = [claim.token, wholeMs(leaseSeconds), this.#keepMs, String(claim.fence)]
    return (await this.#run(scripts.renewScript, this.#keysOf(claim), args)) === '1'
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const done = await this.#run(scripts.commitScript, this.#keysOf(claim), [
      claim.token,
      wholeMs(retention.retentionSeconds),
      wholeMs(retention.watermarkRetentionSeconds),
      String(claim.fence),
      (claim.deletion ? 't' : 'w') + claim.occurredAt,
    ])
    return done === '1' ? 'ok' : 'lost'
  }

  async release(claim: Claim): Promise<void> {
    await this.#run(scripts.releaseScript, this.#keysOf(claim), [claim.token, this.#keepMs])
  }

  forget(messageId: string): Promise<boolean> {
    return this.#delete(`${this.#prefix}m:${messageId}`)
  }

  forgetResource(resource: string): Promise<boolean> {
    return this.#delete(`${this.#prefix}r:${resource}`)
  }

  record(name: string): LedgerRecord {
    const key = `${this.#prefix}s:${name}`
    return {
      read: async () => {
        const value = await inTime(this.#options, this.#connection.call(key, ['GET', key]))
        return value === null ? undefined : String(value)
      },
      compareAndSet: async (expected, value, expirySeconds) => {
        const args = [optional(expected), optional(value), wholeMs(expirySeconds)]
        return (await inTime(this.#options, this.#run(scripts.compareAndSetScript, [key], args))) === '1'
      },
    }
  }

  now(): Promise<Instant> {
    return inTime(this.#options, this.#run(scripts.nowScript, [`${this.#prefix}m:`], []))
  }

  /**
   * A connection that was lost in the middle of a begin leaves open whether there is a claim now, which would keep
   * the retry away until it lapses. The same token may ask again, so we do until we know: who has given up meanwhile
   * gives the claim back.
   */
  async #beginUntilSure(leaseSeconds: number, keys: string[], args: string[]): Promise<string> {
    const { clock } = this.#options
    const lapsedAtMs = clock.monotonic() + leaseSeconds * 1000
    for (let uncertain = false; ; ) {
      try {
        return await this.#run(scripts.beginScript, keys, args)
      } catch (error) {
        uncertain ||= error instanceof RedisUnavailableError && error.uncertain
        if (!uncertain || clock.monotonic() > lapsedAtMs || this.#closing.signal.aborted) throw error
      }
      await delay(clock, askAgainMs, this.#closing.signal)
    }
  }

  async #run(script: scripts.Script, keys: string[], args: string[]): Promise<string> {
    const [key = ''] = keys
    const command = ['EVALSHA', script.sha1, String(keys.length), ...keys, ...args]
    let reply: unknown
    try {
      reply = await this.#connection.call(key, command)
    } catch (error) {
      if (!(error instanceof RedisUnavailableError && error.code === 'NOSCRIPT')) throw error
      reply = await this.#connection.call(key, ['EVAL', script.text, ...command.slice(2)])
    }
    if (!this.#policyAsked) void this.#askForPolicy(key)
    return String(reply)
  }

  async #delete(key: string): Promise<boolean> {
    return String(await inTime(this.#options, this.#connection.call(key, ['DEL', key]))) === '1'
  }

  /** A server that evicts forgets what is done, and runs it again. Managed ones forbid CONFIG, so INFO is asked. */
  async #askForPolicy(key: string): Promise<void> {
    const { log } = this.#options
    this.#policyAsked = true
    try {
      const info = String(await inTime(this.#options, this.#connection.call(key, ['INFO', 'memory'])))
      const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
      if (policy === undefined || policy === 'noeviction') return
      log.warn(
        { policy },
        'a Redis that evicts forgets what was done, and a retry runs it again: set `maxmemory-policy` to noeviction',
      )
    } catch {
      log.debug({}, 'could not ask Redis for its `maxmemory-policy`: it must be noeviction')
    }
  }

  #keysOf({ messageId, resource }: { messageId: string; resource?: string }): string[] {
    const message = `${this.#prefix}m:${messageId}`
    return resource === undefined ? [message] : [message, `${this.#prefix}r:${resource}`]
  }
}

/** The event's time; a sync's is never newer than what it read, and never beats a webhook on its way. */
function countsAs({ occurredAt, observedAt }: BeginRequest): Instant | undefined {
  if (observedAt === undefined) return occurredAt
  const updatedAt = occurredAt !== undefined && occurredAt < observedAt ? occurredAt : observedAt
  return newest(updatedAt, plusSeconds(observedAt, -syncMarginSeconds))
}

function optional(value: string | undefined): string {
  return value === undefined ? '' : `=${value}`
}

/** Redis takes whole milliseconds. */
function wholeMs(seconds: number): string {
  return String(Math.ceil(seconds * 1000))
}
