import type { Clock } from '../../base/clock.ts'

/** What an adapter over SQL offers: its own connection, or pool, behind one function. */
export interface SqlAdapter {
  readonly opts: { readonly dialect?: unknown; readonly db?: unknown; readonly uri?: unknown }
  query(sql: string, ...parameters: SqlValue[]): Promise<unknown>
}

export type SqlValue = string | number | null

export function isSqlAdapter(adapter: object, dialect: string): adapter is SqlAdapter {
  return (
    'opts' in adapter &&
    typeof adapter.opts === 'object' &&
    adapter.opts !== null &&
    'dialect' in adapter.opts &&
    adapter.opts.dialect === dialect &&
    'query' in adapter &&
    typeof adapter.query === 'function'
  )
}

/**
 * A server of which nothing was heard for so long, though it was asked, is gone: its address may lead to another. If not,
 * as where somebody has locked the table, each further pool is waited for twice as long: the server counts connections.
 */
const deadAfterMs = 30_000

/**
 * The queries of an adapter that connects once, when it is made, and keeps a failure for ever: each later query
 * rejects with the very same error, though the store has long been back. A living connection makes a new error each
 * time. So the same error twice means that this adapter is dead, and one of the same kind, made anew, takes its place.
 *
 * So it does when nothing was heard over a network for long: the pool keeps a connection for as long as nobody ends it,
 * and a host that is gone ends none.
 */
export class FirstConnection {
  /** None after one that is dead, until it is needed: an idle pool that is still connecting must not be ended. */
  #adapter: SqlAdapter | undefined
  readonly #given: SqlAdapter
  #opts: SqlAdapter['opts']
  readonly #clock: Clock | undefined
  #failure: unknown
  /** When we first asked since something was last heard. */
  #unheardSinceMs: number | undefined
  #deadAfterMs = deadAfterMs
  readonly #waiting = new Set<(error: unknown) => void>()

  /** @param clock where there is a network that may fall silent */
  constructor(adapter: SqlAdapter, clock?: Clock) {
    this.#adapter = adapter
    this.#given = adapter
    this.#opts = adapter.opts
    this.#clock = clock
    // Somebody must be listening when the first connection fails: else it would end the process.
    this.query('SELECT 1').catch(() => {})
  }

  /** Before each query, also one that is not sent because so many wait. */
  giveUpWhatIsDead(): void {
    if (!this.#clock) return
    const nowMs = this.#clock.monotonic()
    this.#unheardSinceMs ??= nowMs
    if (nowMs - this.#unheardSinceMs < this.#deadAfterMs) return
    this.#unheardSinceMs = nowMs
    this.#deadAfterMs *= 2
    this.#opts = withPoolOfItsOwn(this.#given.opts, nowMs)
    this.#adapter = undefined
    const error = Object.assign(new Error('nothing was heard'), { code: 'TIMEOUT' })
    for (const reject of this.#waiting) reject(error)
    this.#waiting.clear()
  }

  async query(sql: string, ...parameters: SqlValue[]): Promise<unknown> {
    this.#adapter ??= another(this.#given, this.#opts)
    const adapter = this.#adapter
    try {
      return await this.#answer(adapter.query(sql, ...parameters))
    } catch (error) {
      if (error === this.#failure && adapter === this.#adapter) this.#adapter = undefined
      this.#failure = error
      throw error
    }
  }

  /** What the adapter gives, or an error when it is given up. */
  #answer(asked: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject)
      const heard = () => {
        if (!this.#waiting.delete(reject)) return
        this.#unheardSinceMs = undefined
        this.#deadAfterMs = deadAfterMs
      }
      asked.finally(heard).then(resolve, reject)
    })
  }
}

/** To the adapter's code, another address is another pool; of ours it reads no more than what stands before the `?`. */
function withPoolOfItsOwn(opts: SqlAdapter['opts'], madeAtMs: number): SqlAdapter['opts'] {
  if (typeof opts.uri !== 'string') return opts
  return { ...opts, uri: `${opts.uri}${opts.uri.includes('?') ? '&' : '?'}silent=${Math.floor(madeAtMs)}` }
}

function another(adapter: SqlAdapter, opts: SqlAdapter['opts']): SqlAdapter {
  const made: unknown = Reflect.construct(adapter.constructor, [opts])
  const { dialect } = adapter.opts
  if (typeof made !== 'object' || made === null || typeof dialect !== 'string') return adapter
  if (!isSqlAdapter(made, dialect)) return adapter
  // A failure that nobody listens to would end the process; the next query reports it anyhow.
  if ('on' in made && typeof made.on === 'function') made.on('error', () => {})
  return made
}
