/** What an adapter over SQL offers: its own connection, or pool, behind one function. */
export interface SqlAdapter {
  readonly opts: { readonly dialect?: unknown; readonly db?: unknown }
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
 * The queries of an adapter that connects once, when it is made, and keeps a failure for ever: each later query
 * rejects with the very same error, though the store has long been back. A living connection makes a new error each
 * time. So the same error twice means that this adapter is dead, and one of the same kind, made anew, takes its place.
 */
export class FirstConnection {
  #adapter: SqlAdapter
  readonly #given: SqlAdapter
  #failure: unknown

  constructor(adapter: SqlAdapter) {
    this.#adapter = adapter
    this.#given = adapter
    // Somebody must be listening when the first connection fails: else it would end the process.
    this.query('SELECT 1').catch(() => {})
  }

  /** The adapter that took the place of the given one. */
  get replacement(): SqlAdapter | undefined {
    return this.#adapter === this.#given ? undefined : this.#adapter
  }

  async query(sql: string, ...parameters: SqlValue[]): Promise<unknown> {
    const adapter = this.#adapter
    try {
      return await adapter.query(sql, ...parameters)
    } catch (error) {
      if (error === this.#failure && adapter === this.#adapter) this.#adapter = another(this.#given)
      this.#failure = error
      throw error
    }
  }
}

function another(adapter: SqlAdapter): SqlAdapter {
  const made: unknown = Reflect.construct(adapter.constructor, [adapter.opts])
  const { dialect } = adapter.opts
  if (typeof made !== 'object' || made === null || typeof dialect !== 'string') return adapter
  if (!isSqlAdapter(made, dialect)) return adapter
  // A failure that nobody listens to would end the process; the next query reports it anyhow.
  if ('on' in made && typeof made.on === 'function') made.on('error', () => {})
  made.query('SELECT 1').catch(() => {})
  return made
}
