import { delay } from '../../base/clock.ts'
import type { Instant } from '../../base/instant.ts'
import { randomnessOf } from '../../base/randomness.ts'
import { syncTime } from '../decisions.ts'
import { type DriverLedger, type DriverOptions, inTime, isRefusal, unexpected, wholeMs } from '../driver.ts'
import type { BeginAnswer, BeginRequest, Claim, LedgerRecord, Retention } from '../ledger.ts'
import { type Client, callOver, type RedisCall, RedisUnavailableError } from './connection.ts'
import { ioRedisOf } from './io-redis.ts'
import { nodeRedisOf } from './node-redis.ts'
import * as scripts from './scripts.ts'

/** Opens the ledger on Redis or Valkey, through `@keyv/redis` or `@keyv/valkey`. */
export function openRedis(adapter: object, options: DriverOptions): DriverLedger | undefined {
  const client = nodeRedisOf(adapter, options) ?? ioRedisOf(adapter, options)
  return client && new RedisLedger(client, options)
}

/** The length of the answer 'begun': a fence of 16 digits, and an instant of 19 digits. */
const begunLength = 35
/** If the connection is lost during a `begin`, the ledger waits this long before it repeats the `begin`. */
const askAgainMs = 50

/**
 * A ledger on Redis. Each method is one script and one round trip. The scripts use only the server's clock. The keys
 * are independent of the Keyv's own keys. All keys share one hash slot: `{scim:<namespace>}:m:<id>`, `…:r:<resource>`
 * and `…:s:<record>`.
 */
class RedisLedger implements DriverLedger {
  readonly guarantee = { message: 'atomic', order: 'atomic' } as const
  readonly #client: Client
  readonly #call: RedisCall
  readonly #options: DriverOptions
  readonly #prefix: string
  readonly #keptMs: string
  readonly #closing = new AbortController()
  /** Begins the mark of each call, so that the marks of several ledgers differ. */
  readonly #tag: string
  #calls = 0
  #policyChecked = false

  constructor(client: Client, options: DriverOptions) {
    this.#client = client
    this.#call = callOver(client, options)
    this.#options = options
    this.#prefix = `{scim:${options.namespace}}:`
    this.#keptMs = msText(options.watermarkRetentionSeconds)
    this.#tag = `${randomnessOf(options.clock).uuid().slice(0, 13)}.`
  }

  close(): void {
    this.#closing.abort()
    this.#client.close?.()
  }

  async begin(request: BeginRequest): Promise<BeginAnswer> {
    const { token, leaseSeconds, deletion, occurredAt, observedAt } = request
    const countsAs = observedAt === undefined ? occurredAt : syncTime(occurredAt, observedAt)
    const args = [token, msText(leaseSeconds), this.#keptMs, countsAs ?? '']
    if (deletion || observedAt !== undefined) args.push(deletion ? '1' : '0')
    if (observedAt !== undefined) args.push(observedAt)
    const reply = await this.#beginUntilSure(leaseSeconds, this.#keysOf(request), args)
    if (isRefusal(reply)) return { state: reply }
    if (reply.length !== begunLength) throw unexpected()
    return { state: 'begun', fence: Number(reply.slice(0, 16)), occurredAt: reply.slice(16) }
  }

  async renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const args = [claim.token, msText(leaseSeconds), this.#keptMs, String(claim.fence)]
    return (await this.#run(scripts.renewScript, this.#keysOf(claim), args)) === '1'
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const done = await this.#run(scripts.commitScript, this.#keysOf(claim), [
      claim.token,
      msText(retention.retentionSeconds),
      msText(retention.watermarkRetentionSeconds),
      String(claim.fence),
      (claim.deletion ? 't' : 'w') + claim.occurredAt,
    ])
    return done === '1' ? 'ok' : 'lost'
  }

  async release(claim: Claim): Promise<void> {
    await this.#run(scripts.releaseScript, this.#keysOf(claim), [claim.token, this.#keptMs])
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
        const value = await inTime(this.#options, this.#run(scripts.readScript, [key], []))
        return value === '' ? undefined : value.slice(1)
      },
      compareAndSet: async (expected, value, expirySeconds) => {
        const args = [optional(expected), optional(value), msText(expirySeconds)]
        return (await inTime(this.#options, this.#run(scripts.compareAndSetScript, [key], args))) === '1'
      },
    }
  }

  now(): Promise<Instant> {
    return inTime(this.#options, this.#run(scripts.nowScript, [`${this.#prefix}m:`], []))
  }

  /**
   * If a connection is lost during a `begin`, the server may have written the claim. The claim would then block the
   * sender's retry until the claim lapses. A `begin` may be repeated with the same token, so this method repeats the
   * `begin` until the server answers. A caller that no longer waits releases the claim.
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
    const mark = `${this.#tag}${(++this.#calls).toString(36)} `
    const command = ['EVALSHA', script.sha1, String(keys.length), ...keys, ...args, mark]
    let reply: unknown
    try {
      reply = await this.#call(key, command, mark)
    } catch (error) {
      if (!(error instanceof RedisUnavailableError && error.code === 'NOSCRIPT')) throw error
      reply = await this.#call(key, ['EVAL', script.text, ...command.slice(2)], mark)
    }
    if (!this.#policyChecked) void this.#checkPolicy(key)
    return String(reply)
  }

  async #delete(key: string): Promise<boolean> {
    return (await inTime(this.#options, this.#run(scripts.deleteScript, [key], []))) === '1'
  }

  /**
   * If the server evicts keys, logs a warning, because the server can then delete done messages. Reads INFO, because
   * managed servers forbid CONFIG.
   */
  async #checkPolicy(key: string): Promise<void> {
    const { log } = this.#options
    this.#policyChecked = true
    try {
      const info = String(await inTime(this.#options, this.#call(key, ['INFO', 'memory'])))
      const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
      if (policy === undefined || policy === 'noeviction') return
      log.warn(
        { policy },
        'this Redis evicts keys. If Redis deletes a done message, a retry runs the handler again. ' +
          'Set `maxmemory-policy` to noeviction',
      )
    } catch {
      log.debug({}, 'cannot read the `maxmemory-policy` of Redis, which must be noeviction')
    }
  }

  #keysOf({ messageId, resource }: { messageId: string; resource?: string }): string[] {
    const message = `${this.#prefix}m:${messageId}`
    return resource === undefined ? [message] : [message, `${this.#prefix}r:${resource}`]
  }
}

function optional(value: string | undefined): string {
  return value === undefined ? '' : `=${value}`
}

function msText(seconds: number): string {
  return String(wholeMs(seconds))
}
