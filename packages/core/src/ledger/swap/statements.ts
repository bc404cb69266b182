import { delay } from '../../base/clock.ts'
import { StoreUnavailableError } from '../../base/errors.ts'
import type { DriverOptions } from '../driver.ts'
import type { FirstConnection, SqlValue } from './first-connection.ts'

/** What an error says of a statement that changed nothing, or may have. */
export type Cause =
  /** Nothing was done; somebody else was in the way. */
  | 'busy'
  /** Nothing was done; our table is not there. */
  | 'no-table'
  /** Nothing was done; a row with that key is there. */
  | 'taken'
  | 'other'

export interface Dialect {
  /** Makes what is not there yet. */
  schema: readonly string[]
  causeOf(error: unknown): Cause
  /** The store's own name for what went wrong: its messages may hold what was written, and are not logged. */
  codeOf(error: unknown): string
  /** What an operator is told. */
  hint(code: string): string
}

const pauseFromMs = 2
const pauseToMs = 50
/** While a server is frozen its pool keeps every statement: more of them than this, and memory is worth more. */
const mostUnanswered = 1000
const tooMany = 'TOO_MANY'

/**
 * Statements, each one call: asked again while others are in the way, until the time is over. A call that hangs is
 * waited for: whoever asks has a deadline of their own.
 */
export class Statements {
  readonly #connection: FirstConnection
  readonly #dialect: Dialect
  readonly #options: DriverOptions
  #failing = false
  #unanswered = 0

  constructor(connection: FirstConnection, dialect: Dialect, options: DriverOptions) {
    this.#connection = connection
    this.#dialect = dialect
    this.#options = options
  }

  /** What the statement gave; `undefined` where a row that it would insert is there. */
  async run(sql: string, parameters: SqlValue[] = []): Promise<unknown> {
    const { clock, storeTimeoutSeconds } = this.#options
    const untilMs = clock.monotonic() + storeTimeoutSeconds * 1000
    for (let pauseMs = pauseFromMs; ; pauseMs = Math.min(pauseMs * 2, pauseToMs)) {
      try {
        const answer = await this.#ask(sql, parameters)
        this.#failing = false
        return answer
      } catch (error) {
        const cause = this.#dialect.causeOf(error)
        if (cause === 'taken') return undefined
        if (cause === 'other' || clock.monotonic() >= untilMs) throw this.refuse(this.#dialect.codeOf(error))
        if (cause === 'no-table' && (await this.#create())) continue
        await delay(clock, pauseMs * (0.5 + Math.random()))
      }
    }
  }

  async #ask(sql: string, parameters: SqlValue[]): Promise<unknown> {
    this.#connection.giveUpWhatIsDead()
    if (this.#unanswered >= mostUnanswered) throw Object.assign(new Error('too many'), { code: tooMany })
    this.#unanswered++
    try {
      return await this.#connection.query(sql, ...parameters)
    } finally {
      this.#unanswered--
    }
  }

  /** Whether the table is made. Not if somebody else was in the way. */
  async #create(): Promise<boolean> {
    try {
      for (const statement of this.#dialect.schema) await this.#connection.query(statement)
      return true
    } catch (error) {
      if (this.#dialect.causeOf(error) === 'other') throw this.refuse(this.#dialect.codeOf(error))
      return false
    }
  }

  /** Logs the mend, once until it was well in between, and gives what to throw. */
  refuse(code: string): StoreUnavailableError {
    if (!this.#failing) this.#options.log.error({ code }, this.#dialect.hint(code))
    this.#failing = true
    return Object.assign(new StoreUnavailableError(`the database refused (${code})`), { code })
  }
}

/** Whether a statement failed before it was sent: so many waited for an answer that it was refused here. */
export function wasNeverSent(error: unknown): boolean {
  return error instanceof StoreUnavailableError && 'code' in error && error.code === tooMany
}
