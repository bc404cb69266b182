import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { Instant } from '../../base/instant.ts'
import { type DrivenLedger, type Driver, type DriverOptions, inTime } from '../driver.ts'
import { giveBack } from '../give-back.ts'
import type { BeginAnswer, BeginRequest, Claim, LedgerRecord, Retention } from '../ledger.ts'
import { Sweeping } from '../sweeping.ts'
import { isPostgresAdapter, lastingQuery, type PostgresQuery } from './pool.ts'
import { mayHaveRun, PostgresSession } from './session.ts'
import { sweepOnce } from './sweep.ts'

/** `@keyv/postgres`. */
export const postgresDriver: Driver = {
  open(adapter, options) {
    if (!isPostgresAdapter(adapter)) return undefined
    const { schema } = adapter.opts
    return new PostgresLedger(lastingQuery(adapter, options), schema ?? 'public', options)
  },
}

/** An index takes entries of up to 2 700 bytes; these are at most three a character. */
const longestId = 512

/**
 * The ledger in PostgreSQL: a function a verb, a round trip a call. The functions decide as judge.ts does, by the
 * server's clock, under locks of their own; see schema.ts.
 */
class PostgresLedger implements DrivenLedger {
  readonly guarantee = { message: 'atomic', order: 'atomic' } as const
  readonly #session: PostgresSession
  readonly #sweeping: Sweeping
  readonly #options: DriverOptions
  readonly #sql: ReturnType<typeof statements>
  readonly #closing = new AbortController()

  constructor(query: PostgresQuery, schema: string, options: DriverOptions) {
    this.#options = options
    this.#session = new PostgresSession(query, schema, options)
    this.#sweeping = new Sweeping(options.clock, (limit) => sweepOnce(this.#session, schema, limit))
    this.#sql = statements(schema)
  }

  close(): void {
    this.#closing.abort()
    this.#sweeping.stop()
  }

  async begin(request: BeginRequest): Promise<BeginAnswer> {
    try {
      return beginAnswer(
        await this.#session.ask('begin', this.#sql.begin, [
          this.#options.namespace,
          keyOf(request.messageId),
          request.token,
          request.leaseSeconds,
          resourceOf(request),
          request.occurredAt ?? null,
          request.deletion === true,
          request.observedAt ?? null,
          this.#options.watermarkRetentionSeconds,
        ]),
      )
    } catch (error) {
      if (mayHaveRun(error)) this.#giveBack(request)
      throw error
    }
  }

  #giveBack(request: BeginRequest): void {
    const release = () => this.release(request)
    void giveBack(this.#options.clock, request.leaseSeconds, this.#closing.signal, release)
  }

  async renew(claim: Claim, leaseSeconds: number): Promise<boolean> {
    const values = [
      this.#options.namespace,
      keyOf(claim.messageId),
      claim.token,
      leaseSeconds,
      resourceOf(claim),
      claim.fence,
      this.#options.watermarkRetentionSeconds,
    ]
    return (await this.#session.ask('renew', this.#sql.renew, values)) === true
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
    const answer = await this.#session.ask('commit', this.#sql.commit, [
      this.#options.namespace,
      keyOf(claim.messageId),
      claim.token,
      resourceOf(claim),
      claim.fence,
      claim.occurredAt,
      claim.deletion,
      retention.retentionSeconds,
      retention.watermarkRetentionSeconds,
    ])
    if (answer === 'ok' || answer === 'lost') return answer
    throw unexpected()
  }

  async release(claim: Pick<Claim, 'token' | 'messageId' | 'resource'>): Promise<void> {
    const values = [this.#options.namespace, keyOf(claim.messageId), claim.token, resourceOf(claim)]
    await this.#session.ask('release', this.#sql.release, values)
  }

  forget(messageId: string): Promise<boolean> {
    return this.#forget(keyOf(messageId), null)
  }

  forgetResource(resource: string): Promise<boolean> {
    return this.#forget(null, keyOf(resource))
  }

  record(name: string): LedgerRecord {
    const { namespace } = this.#options
    const key = keyOf(name)
    return {
      read: async () => {
        const value = await inTime(this.#options, this.#session.ask('read', this.#sql.read, [namespace, key]))
        return typeof value === 'string' ? value : undefined
      },
      compareAndSet: async (expected, value, expirySeconds) => {
        const values = [namespace, key, expected ?? null, value ?? null, expirySeconds]
        return (await inTime(this.#options, this.#session.ask('record', this.#sql.record, values))) === true
      },
    }
  }

  async now(): Promise<Instant> {
    const instant = await inTime(this.#options, this.#session.ask('now', this.#sql.now))
    if (typeof instant === 'string') return instant
    throw unexpected()
  }

  async #forget(message: string | null, resource: string | null): Promise<boolean> {
    const values = [this.#options.namespace, message, resource]
    return (await inTime(this.#options, this.#session.ask('forget', this.#sql.forget, values))) === true
  }
}

function statements(schema: string) {
  const name = `${schema}.scalekit_scim`
  return {
    begin: `SELECT ${name}_begin_v1($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer`,
    renew: `SELECT ${name}_renew_v2($1, $2, $3, $4, $5, $6, $7) AS answer`,
    commit: `SELECT ${name}_commit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9) AS answer`,
    release: `SELECT ${name}_release_v1($1, $2, $3, $4) AS answer`,
    forget: `SELECT ${name}_forget_v2($1, $2, $3) AS answer`,
    record: `SELECT ${name}_record_v1($1, $2, $3, $4, $5) AS answer`,
    read: `SELECT value AS answer FROM ${name}_records
      WHERE namespace = $1 AND id = $2 AND expires_at > clock_timestamp()`,
    now: `SELECT ${name}_instant_v1(clock_timestamp()) AS answer`,
  }
}

/** An id that no index would take stands in as its digest. */
function keyOf(id: string): string {
  if (id.length <= longestId && !id.includes('\0') && id.isWellFormed()) return id
  return `sha256 ${createHash('sha256').update(Buffer.from(id, 'utf16le')).digest('hex')}`
}

function resourceOf({ resource }: { resource?: string }): string | null {
  return resource === undefined ? null : keyOf(resource)
}

function beginAnswer(answer: unknown): BeginAnswer {
  const [state, fence, occurredAt] = typeof answer === 'string' ? answer.split(' ') : []
  switch (state) {
    case 'duplicate':
    case 'in-flight':
    case 'busy':
    case 'stale':
      return { state }
    case 'begun':
      if (fence !== undefined && occurredAt !== undefined) return { state, fence: Number(fence), occurredAt }
  }
  throw unexpected()
}

function unexpected(): StoreUnavailableError {
  return new StoreUnavailableError('PostgreSQL answered what we did not ask for')
}
