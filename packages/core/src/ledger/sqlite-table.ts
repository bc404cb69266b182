import { type Clock, delay } from '../clock.ts'
import { StoreUnavailableError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { FirstConnection, SqlValue } from './first-connection.ts'

/**
 * The one table and its index, as they are made on first use; an administrator may make them beforehand. A row without
 * a state says no more than no row, and waits to be swept.
 */
export const sqliteSchema = [
  `CREATE TABLE IF NOT EXISTS scalekit_scim_ledger (
  namespace TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  state TEXT,
  expires_ms INTEGER NOT NULL,
  PRIMARY KEY (namespace, kind, id)
) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS scalekit_scim_ledger_expiry ON scalekit_scim_ledger (expires_ms)`,
] as const

/** A message, a resource, or a small named record. */
export type Kind = 'm' | 'r' | 's'

export interface Key {
  kind: Kind
  id: string
}

export interface StoredRow {
  state: string | undefined
  expiresMs: number
}

/** What the rows were at one moment of SQLite's clock. */
export interface Snapshot {
  nowMs: number
  rows: { readonly [K in Kind]?: StoredRow }
}

/** A row's new state; `undefined` is none. */
export interface Change extends Key {
  state: string | undefined
  expiresMs: number
}

interface TableOptions {
  connection: FirstConnection
  namespace: string
  clock: Clock
  storeTimeoutSeconds: number
  log: Logger
}

/** SQLite's clock is the machine's, in whole milliseconds. `unixepoch('subsec')` would need a newer SQLite. */
const nowMs = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
const pauseFromMs = 2
const pauseToMs = 50

/** The rows of one namespace: read at one moment, and written only where they are still what was read. */
export class SqliteTable {
  readonly #options: TableOptions
  #failing = false

  constructor(options: TableOptions) {
    this.#options = options
  }

  async read(keys: readonly Key[]): Promise<Snapshot> {
    const { namespace } = this.#options
    const found = await this.#run(
      `SELECT ${nowMs} AS now_ms, k.column1 AS kind, t.state AS state, t.expires_ms AS expires_ms
       FROM (VALUES ${keys.map(() => '(?, ?)').join(', ')}) AS k
       LEFT JOIN scalekit_scim_ledger AS t
         ON t.namespace = ? AND t.kind = k.column1 AND t.id = k.column2`,
      [...keys.flatMap(({ kind, id }) => [kind, id]), namespace],
    )
    const rows: { [K in Kind]?: StoredRow } = {}
    for (const { kind, state, expires_ms } of found) {
      if (kind !== 'm' && kind !== 'r' && kind !== 's') throw unexpected()
      if (typeof state === 'string' && typeof expires_ms === 'number') {
        rows[kind] = { state, expiresMs: expires_ms }
      }
    }
    const time = found[0]?.now_ms
    if (typeof time !== 'number') throw unexpected()
    return { nowMs: time, rows }
  }

  /** Writes all the changes, in one statement, if each row is still as it was in the snapshot; says whether it did. */
  async swap(snapshot: Snapshot, changes: readonly Change[]): Promise<boolean> {
    const { namespace } = this.#options
    const written = await this.#run(
      `WITH change (kind, id, expected, state, expires_ms)
         AS (VALUES ${changes.map(() => '(?, ?, ?, ?, ?)').join(', ')})
       INSERT INTO scalekit_scim_ledger (namespace, kind, id, state, expires_ms)
       SELECT ?, kind, id, state, expires_ms FROM change
       WHERE NOT EXISTS (
         SELECT 1 FROM change AS c LEFT JOIN scalekit_scim_ledger AS t
           ON t.namespace = ? AND t.kind = c.kind AND t.id = c.id
         WHERE t.state IS NOT c.expected)
       ON CONFLICT (namespace, kind, id) DO UPDATE SET state = excluded.state, expires_ms = excluded.expires_ms
       RETURNING kind`,
      [
        ...changes.flatMap(({ kind, id, state, expiresMs }) => [
          kind,
          id,
          snapshot.rows[kind]?.state ?? null,
          state ?? null,
          expiresMs,
        ]),
        namespace,
        namespace,
      ],
    )
    return written.length > 0
  }

  /** Deletes a row; says whether it was there and had not expired. */
  async remove({ kind, id }: Key): Promise<boolean> {
    const removed = await this.#run(
      `DELETE FROM scalekit_scim_ledger WHERE namespace = ? AND kind = ? AND id = ?
       RETURNING state IS NOT NULL AND expires_ms > ${nowMs} AS known`,
      [this.#options.namespace, kind, id],
    )
    return removed[0]?.known === 1
  }

  /** Deletes at most `limit` expired rows, of any namespace, by the index; says how many. */
  async sweep(limit: number): Promise<number> {
    const swept = await this.#run(
      `DELETE FROM scalekit_scim_ledger WHERE (namespace, kind, id) IN (
         SELECT namespace, kind, id FROM scalekit_scim_ledger
         WHERE expires_ms <= ${nowMs} ORDER BY expires_ms LIMIT ?)
       RETURNING 1`,
      [limit],
    )
    return swept.length
  }

  /** One statement. A database that somebody else is writing to is asked again, until the time is over. */
  async #run(sql: string, parameters: SqlValue[]): Promise<Record<string, unknown>[]> {
    const { connection, clock, storeTimeoutSeconds } = this.#options
    const untilMs = clock.monotonic() + storeTimeoutSeconds * 1000
    for (let pauseMs = pauseFromMs; ; pauseMs = Math.min(pauseMs * 2, pauseToMs)) {
      try {
        const rows = await connection.query(sql, ...parameters)
        this.#failing = false
        return asRows(rows)
      } catch (error) {
        const cause = causeOf(error)
        if (cause === 'other' || clock.monotonic() >= untilMs) throw this.#unavailable(error)
        if (cause === 'no-table') await this.#create()
        else await delay(clock, pauseMs * (0.5 + Math.random()))
      }
    }
  }

  async #create(): Promise<void> {
    try {
      for (const statement of sqliteSchema) await this.#options.connection.query(statement)
    } catch (error) {
      if (causeOf(error) === 'other') throw this.#unavailable(error)
    }
  }

  #unavailable(error: unknown): StoreUnavailableError {
    if (error instanceof StoreUnavailableError) return error
    const code = codeOf(error)
    if (!this.#failing) {
      this.#options.log.error(
        { code },
        'SQLite refused: is its file locked for long by somebody else, read-only, full or gone? ' +
          'Events are answered 503 until it is well again',
      )
    }
    this.#failing = true
    return new StoreUnavailableError(`SQLite refused (${code})`)
  }
}

function asRows(rows: unknown): Record<string, unknown>[] {
  if (!Array.isArray(rows)) throw unexpected()
  return rows
}

function unexpected(): StoreUnavailableError {
  return new StoreUnavailableError('SQLite answered what we did not ask')
}

function causeOf(error: unknown): 'busy' | 'no-table' | 'other' {
  const text = error instanceof Error ? `${codeOf(error)} ${error.message}` : ''
  if (/SQLITE_(BUSY|LOCKED)|database( table)? is locked/.test(text)) return 'busy'
  return /no such table: (main\.)?scalekit_scim_ledger\b/.test(text) ? 'no-table' : 'other'
}

/** SQLite's own name for what went wrong; its messages are not logged. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  if ('errstr' in error && typeof error.errstr === 'string') return error.errstr
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
