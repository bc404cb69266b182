import { delay } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import { randomnessOf } from '../../base/randomness.ts'
import type { DriverOptions } from '../driver.ts'
import { type ReconnectingAdapter, type SqlValue, tooMany } from './reconnecting-adapter.ts'

/** Why a statement failed. For every cause except 'other', the statement changed nothing. */
export type Cause =
  /** Another process blocked the statement. */
  | 'busy'
  /** Our table does not exist. */
  | 'no-table'
  /** A row with the same key exists. */
  | 'taken'
  /** It is unknown whether the statement ran. */
  | 'other'

export interface Dialect {
  /** Statements that create the missing table and indexes. */
  schema: readonly string[]
  causeOf(error: unknown): Cause
  /** A fix for the operator. */
  hint(code: string): string
}

const pauseFromMs = 2
const pauseToMs = 50

/**
 * Runs each statement with one call. If other processes block a statement, repeats the statement until
 * `storeTimeoutSeconds` have passed. A call does not have a time limit, because callers have their own deadline.
 */
export class Statements {
  readonly #adapter: ReconnectingAdapter
  readonly #dialect: Dialect
  readonly #options: DriverOptions
  #failing = false

  constructor(adapter: ReconnectingAdapter, dialect: Dialect, options: DriverOptions) {
    this.#adapter = adapter
    this.#dialect = dialect
    this.#options = options
  }

  /** @returns the database's answer, or `undefined` if the row already exists */
  async run(sql: string, parameters: SqlValue[] = []): Promise<unknown> {
    const { clock, storeTimeoutSeconds } = this.#options
    const untilMs = clock.monotonic() + storeTimeoutSeconds * 1000
    for (let pauseMs = pauseFromMs; ; pauseMs = Math.min(pauseMs * 2, pauseToMs)) {
      try {
        const answer = await this.#adapter.query(sql, ...parameters)
        this.#failing = false
        return answer
      } catch (error) {
        const cause = this.#dialect.causeOf(error)
        if (cause === 'taken') return undefined
        if (cause === 'other' || clock.monotonic() >= untilMs) throw this.refuse(codeOf(error))
        if (cause === 'no-table' && (await this.#create())) continue
        await delay(clock, pauseMs * (0.5 + randomnessOf(clock).fraction()))
      }
    }
  }

  /** @returns whether the table exists now; `false` if another process blocked a statement */
  async #create(): Promise<boolean> {
    try {
      for (const statement of this.#dialect.schema) await this.#adapter.query(statement)
      return true
    } catch (error) {
      if (this.#dialect.causeOf(error) === 'other') throw this.refuse(codeOf(error))
      return false
    }
  }

  /** Returns the error to throw. Logs the hint only for the first failure after a success. */
  refuse(code: string): StoreUnavailableError {
    if (!this.#failing) this.#options.log.error({ code }, this.#dialect.hint(code))
    this.#failing = true
    return Object.assign(new StoreUnavailableError(`the database refused (${code})`), { code })
  }
}

/**
 * Returns the store's own name for a failure. Does not return the error's message, because it can contain written
 * values.
 */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  // In Node's SQLite, `code` is the same for every error. Only `errstr` has the name of the error.
  if ('errstr' in error && typeof error.errstr === 'string') return error.errstr
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** Whether a statement was never sent, because too many statements already waited for an answer. */
export function wasNeverSent(error: unknown): boolean {
  return error instanceof StoreUnavailableError && 'code' in error && error.code === tooMany
}
