import { callAsync } from '../../base/application-calls.ts'
import type { Clock } from '../../base/clock.ts'
import { hasMethods } from '../../base/objects.ts'
import { deadAfterMs, Silence } from '../silence.ts'

/** A Keyv adapter over SQL. `query` uses the adapter's own connection or pool. */
export interface SqlAdapter {
  readonly opts: { readonly dialect?: unknown; readonly db?: unknown; readonly uri?: unknown }
  query(sql: string, ...parameters: SqlValue[]): Promise<unknown>
}

export type SqlValue = string | number | null

export function isSqlAdapter(adapter: object, dialect: string): adapter is SqlAdapter {
  if (!hasMethods(adapter, ['query']) || !('opts' in adapter)) return false
  const { opts } = adapter
  return typeof opts === 'object' && opts !== null && 'dialect' in opts && opts.dialect === dialect
}

/** While a server does not answer, its pool queues every statement. This limit bounds the memory of the pool. */
const maxUnanswered = 1000
export const tooMany = 'TOO_MANY'

/**
 * Runs the queries of an adapter that connects only once, when it is made. If the adapter's only connection fails, each
 * later query rejects with the same error object, even after the store has recovered. A working connection makes a new
 * error object each time. So if two queries reject with the same error object, a new adapter of the same kind replaces
 * the failed adapter.
 *
 * If the server of an adapter on a network has not answered for a long time, a new adapter also replaces this adapter.
 * A pool uses a connection until one side closes the connection. A stopped host never closes a connection.
 */
export class ReconnectingAdapter {
  /**
   * `undefined` after a failed adapter was dropped. Only the next query makes a new adapter. An earlier adapter could
   * leave a pool that is still connecting. Such a pool must not be ended.
   */
  #adapter: SqlAdapter | undefined
  readonly #original: SqlAdapter
  #opts: SqlAdapter['opts']
  readonly #silence: Silence | undefined
  #failure: unknown
  /**
   * The time doubles with each pool that does not answer, for example because a table is locked. Without this rule,
   * many new pools could use all the connections that the server allows.
   */
  #deadAfterMs = deadAfterMs
  readonly #waiting = new Set<(error: unknown) => void>()

  /** @param clock If the adapter uses a network, pass a clock, because a network connection can stop answering */
  constructor(adapter: SqlAdapter, clock?: Clock) {
    this.#adapter = adapter
    this.#original = adapter
    this.#opts = adapter.opts
    this.#silence = clock && new Silence(clock)
    // If the first connection fails and nothing handles the error, the process ends.
    callAsync(() => adapter.query('SELECT 1')).catch((error) => {
      this.#failure = error
    })
  }

  async query(sql: string, ...parameters: SqlValue[]): Promise<unknown> {
    this.#dropSilent()
    if (this.#waiting.size >= maxUnanswered) {
      throw Object.assign(new Error('too many statements wait for an answer'), { code: tooMany })
    }
    this.#adapter ??= newAdapter(this.#original, this.#opts)
    const adapter = this.#adapter
    try {
      return await this.#answer(adapter.query(sql, ...parameters))
    } catch (error) {
      if (error === this.#failure && adapter === this.#adapter) this.#adapter = undefined
      this.#failure = error
      throw error
    }
  }

  #dropSilent(): void {
    if (!this.#silence?.isTooLong(this.#deadAfterMs)) return
    this.#deadAfterMs *= 2
    this.#opts = withOwnPool(this.#original.opts)
    this.#adapter = undefined
    const error = Object.assign(new Error('the database did not answer'), { code: 'TIMEOUT' })
    for (const reject of this.#waiting) reject(error)
    this.#waiting.clear()
  }

  /** Returns the adapter's answer. If the adapter is dropped before the answer, rejects. */
  #answer(asked: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      const answered = () => {
        if (!this.#waiting.delete(reject)) return
        this.#silence?.end()
        this.#deadAfterMs = deadAfterMs
      }
      asked.finally(answered).then(resolve, reject)
    })
  }
}

/**
 * Adds a parameter to the address. The adapter's code uses one pool for each address, so the new address gets its own
 * pool. The adapter ignores the text after the `?`.
 */
function withOwnPool(opts: SqlAdapter['opts']): SqlAdapter['opts'] {
  if (typeof opts.uri !== 'string') return opts
  return { ...opts, uri: `${opts.uri}${opts.uri.includes('?') ? '&' : '?'}silent=${Date.now()}` }
}

function newAdapter(original: SqlAdapter, opts: SqlAdapter['opts']): SqlAdapter {
  const made: unknown = Reflect.construct(original.constructor, [opts])
  const { dialect } = original.opts
  if (typeof made !== 'object' || made === null || typeof dialect !== 'string') return original
  if (!isSqlAdapter(made, dialect)) return original
  // A failure without a listener would end the process. The next query reports the failure.
  if ('on' in made && typeof made.on === 'function') made.on('error', () => {})
  return made
}
