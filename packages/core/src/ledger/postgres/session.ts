import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { DriverOptions } from '../driver.ts'
import { deadAfterMs } from '../silence.ts'
import type { PostgresCall, PostgresQuery } from './pool.ts'
import { createMissing, wrongIsolationState } from './schema.ts'

/** The least time between two log lines about the same problem. */
const quietMs = 60_000

const missing = {
  schema: '3F000',
  table: '42P01',
  function: '42883',
}
/**
 * If a pooler sends the statement's name and the call to different connections, PostgreSQL returns these codes. Neither
 * connection has run the statement.
 */
const strayNameStates = ['26000', '42P05']
const createKey = '7310303571931498340'

type SessionOptions = Pick<DriverOptions, 'clock' | 'log'>

/** Calls the ledger's functions. If the account has the rights, creates missing tables and functions. */
export class PostgresSession {
  readonly #query: PostgresQuery
  readonly #schema: string
  /**
   * A suffix that makes statement names unique for each schema. Each statement text needs its own name, of at most 63
   * bytes.
   */
  readonly #suffix: string
  readonly #options: SessionOptions
  readonly #loggedAtMs = new Map<string, number>()
  #named = true
  #creating: Promise<void> | undefined

  constructor(query: PostgresQuery, schema: string, options: SessionOptions) {
    this.#query = query
    this.#schema = schema
    this.#suffix = createHash('sha256').update(schema).digest('hex').slice(0, 8)
    this.#options = options
  }

  /**
   * @returns the value of the column `answer`, or `undefined` for an answer without a row
   * @throws StoreUnavailableError
   */
  async ask(name: string, text: string, values: readonly unknown[] = []): Promise<unknown> {
    try {
      const [row] = await this.#call(name, text, values)
      return row?.answer
    } catch (error) {
      throw this.#unavailable(error)
    }
  }

  async #call(name: string, text: string, values: readonly unknown[]) {
    for (let created = false; ; ) {
      const call: PostgresCall = { text, values, query_timeout: deadAfterMs }
      if (this.#named) call.name = `scalekit_scim_${name}_${this.#suffix}`
      try {
        return await this.#query(call)
      } catch (error) {
        const code = sqlState(error)
        if (call.name !== undefined && strayNameStates.includes(code)) this.#named = false
        else if (!created && Object.values(missing).includes(code)) {
          created = true
          this.#creating ??= this.#create(code).finally(() => {
            this.#creating = undefined
          })
          await this.#creating
        } else throw error
      }
    }
  }

  /**
   * Creates the tables in one transaction, under one lock for all processes. Without the lock, two processes could
   * create the tables at the same time.
   */
  async #create(because: string): Promise<void> {
    const schema = because === missing.schema ? `CREATE SCHEMA IF NOT EXISTS ${this.#schema};\n` : ''
    const text = `SELECT pg_advisory_xact_lock(${createKey});\n${schema}${createMissing(this.#schema)}`
    try {
      await this.#query({ text, query_timeout: deadAfterMs })
    } catch (error) {
      this.#logOnce(
        { errorCode: sqlState(error), schema: this.#schema },
        'tables or functions of the ledger are missing in PostgreSQL and could not be created. As an administrator, ' +
          'run the SQL of `postgresLedgerSchema()` (docs/stores/postgres.md)',
      )
      throw error
    }
  }

  #unavailable(error: unknown): StoreUnavailableError {
    const code = sqlState(error)
    if (code === wrongIsolationState) {
      this.#logOnce(
        {},
        'the ledger needs READ COMMITTED, but the database begins transactions with another isolation. ' +
          "Set it for the ledger's role: ALTER ROLE … SET default_transaction_isolation = 'read committed'",
      )
    }
    return new StoreUnavailableError(`PostgreSQL failed${code === '' ? '' : ` (${code})`}`, { cause: error })
  }

  #logOnce(fields: object, message: string): void {
    const { clock, log } = this.#options
    const nowMs = clock.monotonic()
    if (nowMs - (this.#loggedAtMs.get(message) ?? Number.NEGATIVE_INFINITY) < quietMs) return
    this.#loggedAtMs.set(message, nowMs)
    log.error(fields, message)
  }
}

/** Whether a failed call may have had an effect, because its answer or its connection was lost. */
export function mayHaveRun(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  // If no connection became free in time, the pool throws this error. PostgreSQL did not write a claim, so a release
  // would only add load to the pool.
  if (cause instanceof Error && /timeout exceeded when trying to connect/.test(cause.message)) return false
  const code = sqlState(cause)
  const refused = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57') && !code.startsWith('08')
  return !refused && code !== 'ECONNREFUSED'
}

/** PostgreSQL's five-character code, or Node's code for a lost connection. */
function sqlState(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}
