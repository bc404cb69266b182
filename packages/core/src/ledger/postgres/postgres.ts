import { createHash } from 'node:crypto'
import type { Instant } from '../../base/instant.ts'
import { releaseLater, sweep } from '../background.ts'
import { type DriverLedger, type DriverOptions, inTime, isRefusal, unexpected } from '../driver.ts'
import type { BeginAnswer, BeginRequest, Claim, LedgerRecord, Retention } from '../ledger.ts'
import { isPostgresAdapter, lastingQuery, type PostgresQuery } from './pool.ts'
import { sweepStatement } from './schema.ts'
import { mayHaveRun, PostgresSession } from './session.ts'

/** Opens the ledger on `@keyv/postgres`. */
export function openPostgres(adapter: object, options: DriverOptions): DriverLedger | undefined {
  if (!isPostgresAdapter(adapter)) return undefined
  const { schema } = adapter.opts
  return new PostgresLedger(lastingQuery(adapter, options), schema ?? 'public', options)
}

/** An index entry can have up to 2,700 bytes. Each character of an id needs at most three bytes. */
const longestId = 512

/**
 * The ledger in PostgreSQL. Each method calls one SQL function in one round trip. The functions follow the rules of
 * decisions.ts. The functions use the server's clock and take their own locks (see schema.ts).
 */
class PostgresLedger implements DriverLedger {
  readonly guarantee = { message: 'atomic', order: 'atomic' } as const
  readonly #session: PostgresSession
  readonly #options: DriverOptions
  readonly #prefix: string
  readonly #closing = new AbortController()

  constructor(query: PostgresQuery, schema: string, options: DriverOptions) {
    this.#options = options
    this.#session = new PostgresSession(query, schema, options)
    this.#prefix = `${schema}.scalekit_scim`
    void sweep((limit) => this.#sweepOnce(schema, limit), options, this.#closing.signal)
  }

  close(): void {
    this.#closing.abort()
  }

  async begin(request: BeginRequest): Promise<BeginAnswer> {
    try {
      return beginAnswer(
        await this.#callFunction('begin', [
          ...claimIds(request),
          request.leaseSeconds,
          request.occurredAt ?? null,
          request.deletion === true,
          request.observedAt ?? null,
          this.#options.watermarkRetentionSeconds,
        ]),
      )
    } catch (error) {
      if (mayHaveRun(error)) {
        const release = (claim: Claim) => this.release(claim)
        void releaseLater(request, release, this.#options, this.#closing.signal)
      }
      throw error
    }
  }

  async renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const { watermarkRetentionSeconds } = this.#options
    const values = [...claimIds(claim), leaseSeconds, claim.fence, watermarkRetentionSeconds]
    return (await this.#callFunction('renew', values)) === true
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const answer = await this.#callFunction('commit', [
      ...claimIds(claim),
      claim.fence,
      claim.occurredAt,
      claim.deletion,
      retention.retentionSeconds,
      retention.watermarkRetentionSeconds,
    ])
    if (answer === 'ok' || answer === 'lost') return answer
    throw unexpected()
  }

  async release(claim: Claim): Promise<void> {
    await this.#callFunction('release', claimIds(claim))
  }

  async forget(messageId: string): Promise<boolean> {
    return (await inTime(this.#options, this.#callFunction('forget', [keyOf(messageId), null]))) === true
  }

  async forgetResource(resource: string): Promise<boolean> {
    return (await inTime(this.#options, this.#callFunction('forget', [null, keyOf(resource)]))) === true
  }

  record(name: string): LedgerRecord {
    const key = keyOf(name)
    const present = `SELECT value AS answer FROM ${this.#prefix}_records
      WHERE namespace = $1 AND id = $2 AND expires_at > clock_timestamp()`
    return {
      read: async () => {
        const asked = this.#session.ask('read', present, [this.#options.namespace, key])
        const value = await inTime(this.#options, asked)
        return typeof value === 'string' ? value : undefined
      },
      compareAndSet: async (expected, value, expirySeconds) => {
        const values = [key, expected ?? null, value ?? null, expirySeconds]
        return (await inTime(this.#options, this.#callFunction('record', values))) === true
      },
    }
  }

  async now(): Promise<Instant> {
    const asked = this.#session.ask('now', `SELECT ${this.#prefix}_instant_v1(clock_timestamp()) AS answer`)
    const instant = await inTime(this.#options, asked)
    if (typeof instant === 'string') return instant
    throw unexpected()
  }

  /**
   * Deletes at most `limit` expired rows from each table. Several processes can sweep at the same time.
   * @returns the largest number of rows that were deleted from one table
   */
  async #sweepOnce(schema: string, limit: number): Promise<number> {
    let largest = 0
    for (const table of ['messages', 'resources', 'records']) {
      const swept = await this.#session.ask(`sweep_${table}`, sweepStatement(schema, table, limit))
      largest = Math.max(largest, Number(swept))
    }
    return largest
  }

  /** Calls the SQL function of a ledger method. The function's first parameter is always the namespace. */
  #callFunction(verb: string, values: readonly unknown[]): Promise<unknown> {
    const parameters = ['$1', ...values.map((_, index) => `$${index + 2}`)]
    const text = `SELECT ${this.#prefix}_${verb}_v1(${parameters.join(', ')}) AS answer`
    return this.#session.ask(verb, text, [this.#options.namespace, ...values])
  }
}

function claimIds({ messageId, token, resource }: Pick<Claim, 'messageId' | 'token' | 'resource'>) {
  return [keyOf(messageId), token, resource === undefined ? null : keyOf(resource)]
}

/** Returns the id. If the id is too long for an index, returns its digest instead. */
function keyOf(id: string): string {
  if (id.length <= longestId && !id.includes('\0') && id.isWellFormed()) return id
  return `sha256 ${createHash('sha256').update(Buffer.from(id, 'utf16le')).digest('hex')}`
}

function beginAnswer(answer: unknown): BeginAnswer {
  const [state, fence, occurredAt] = typeof answer === 'string' ? answer.split(' ') : []
  if (isRefusal(state)) return { state }
  if (state !== 'begun' || fence === undefined || occurredAt === undefined) throw unexpected()
  return { state, fence: Number(fence), occurredAt }
}
