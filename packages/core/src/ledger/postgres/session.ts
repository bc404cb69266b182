import { createHash } from 'node:crypto'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { DriverOptions } from '../driver.ts'
import type { PostgresCall, PostgresQuery } from './pool.ts'
import { createMissing, wrongIsolationState } from './schema.ts'

/** A connection that has not answered for so long is dead, though nobody says so: its lease has lapsed long since. */
const deadAfterMs = 30_000
/** How often one and the same trouble is logged. */
const quietMs = 60_000

const missing = {
  schema: '3F000',
  table: '42P01',
  function: '42883',
}
/** A pooler between gave the statement's name to another connection than the call: neither has run anything. */
const strayNames = ['26000', '42P05']
const createKey = '7310303571931498340'

type SessionOptions = Pick<DriverOptions, 'clock' | 'log'>

/** Calls the ledger's functions; makes them, and their tables, where they are missing and the account may. */
export class PostgresSession {
  readonly #query: PostgresQuery
  readonly #schema: string
  /** Of a name there are 63 bytes, and each text has its own. */
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

  /** The one value that the SQL gives; `undefined` where it gives no row. */
  async ask(name: string, text: string, values: readonly unknown[] = []): Promise<unknown> {
    const [row] = await this.rows(name, text, values)
    return row?.answer
  }

  /** @throws StoreUnavailableError */
  async rows(name: string, text: string, values: readonly unknown[]) {
    try {
      return await this.#call(name, text, values)
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
        if (call.name !== undefined && strayNames.includes(code)) this.#named = false
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

  /** In one transaction, under one lock over all processes: looking first is not enough where two create at once. */
  async #create(because: string): Promise<void> {
    const schema = because === missing.schema ? `CREATE SCHEMA IF NOT EXISTS ${this.#schema};\n` : ''
    const text = `SELECT pg_advisory_xact_lock(${createKey});\n${schema}${createMissing(this.#schema)}`
    try {
      await this.#query({ text, query_timeout: deadAfterMs })
    } catch (error) {
      this.#logOnce('create', () => {
        this.#options.log.error(
          { errorCode: sqlState(error), schema: this.#schema },
          'the ledger has no tables or functions in PostgreSQL, and could not make them. Run the SQL of ' +
            '`postgresLedgerSchema()` (docs/stores/postgres.md) as an administrator',
        )
      })
      throw error
    }
  }

  #unavailable(error: unknown): StoreUnavailableError {
    const code = sqlState(error)
    if (code === wrongIsolationState) {
      this.#logOnce(code, () => {
        this.#options.log.error(
          {},
          'the ledger needs READ COMMITTED, and the database begins its transactions with another isolation. ' +
            "Set it for the ledger's role: ALTER ROLE … SET default_transaction_isolation = 'read committed'",
        )
      })
    }
    return new StoreUnavailableError(`PostgreSQL failed${code === '' ? '' : ` (${code})`}`, { cause: error })
  }

  #logOnce(trouble: string, log: () => void): void {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs - (this.#loggedAtMs.get(trouble) ?? Number.NEGATIVE_INFINITY) < quietMs) return
    this.#loggedAtMs.set(trouble, nowMs)
    log()
  }
}

/** Whether a call may have had its effect though it failed: the answer was lost, or the connection that it came over. */
export function mayHaveRun(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  // The pool's own words, where no connection came free in time. To give back what never was would fill the pool more.
  if (cause instanceof Error && /timeout exceeded when trying to connect/.test(cause.message)) return false
  const code = sqlState(cause)
  const refused = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('57') && !code.startsWith('08')
  return !refused && code !== 'ECONNREFUSED'
}

/** The five characters that PostgreSQL gives an error, or Node's own code of a lost connection. */
function sqlState(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}
