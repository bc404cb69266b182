import { EventEmitter } from 'node:events'
import { DatabaseSync } from 'node:sqlite'

export interface NodeSqliteOptions {
  uri: string
  /** Set to simulate a file without the right to write. */
  readOnly?: boolean
}

/**
 * An adapter with the shape of `@keyv/sqlite` 4.0.8 over Node's own SQLite. The real adapter's native module takes
 * minutes to compile if no binary is available. These parts are the same: `opts`, one connection that is made in the
 * constructor and whose failure is permanent, and `query(sql, ...parameters)`, which returns the rows.
 */
export class NodeSqliteAdapter extends EventEmitter {
  readonly opts: NodeSqliteOptions & { dialect: 'sqlite'; db: string; table: string }
  namespace: string | undefined
  readonly #connected: Promise<DatabaseSync>

  constructor({ uri, readOnly = false }: NodeSqliteOptions) {
    super()
    const db = uri.replace(/^sqlite:\/\//, '')
    this.opts = { uri, readOnly, dialect: 'sqlite', db, table: 'keyv' }
    this.#connected = this.#connect()
  }

  async #connect(): Promise<DatabaseSync> {
    await new Promise((resolve) => setImmediate(resolve))
    const database = new DatabaseSync(this.opts.db, { readOnly: this.opts.readOnly ?? false })
    if (!this.opts.readOnly) {
      database.exec('CREATE TABLE IF NOT EXISTS keyv(key VARCHAR(255) PRIMARY KEY, value TEXT )')
    }
    return database
  }

  async query(sql: string, ...parameters: (string | number | null)[]): Promise<Record<string, unknown>[]> {
    const database = await this.#connected
    // The real adapter answers from a thread, so other code runs before the answer.
    await new Promise((resolve) => setImmediate(resolve))
    return database.prepare(sql).all(...parameters)
  }

  async get(key: string): Promise<unknown> {
    const [row] = await this.query('SELECT value FROM keyv WHERE key = ?', key)
    return row?.value
  }

  async set(key: string, value: string): Promise<unknown> {
    return this.query(
      'INSERT INTO keyv VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      key,
      value,
    )
  }

  async delete(key: string): Promise<boolean> {
    return (await this.query('DELETE FROM keyv WHERE key = ? RETURNING key', key)).length > 0
  }

  async clear(): Promise<void> {
    await this.query('DELETE FROM keyv')
  }

  async disconnect(): Promise<void> {
    ;(await this.#connected).close()
  }
}
