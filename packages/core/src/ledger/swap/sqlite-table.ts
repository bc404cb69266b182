import { instantFromMs } from '../../base/instant.ts'
import type { DriverOptions } from '../driver.ts'
import type { FirstConnection, SqlValue } from './first-connection.ts'
import { type Cause, type Dialect, Statements } from './statements.ts'
import {
  asRows,
  type Change,
  isKind,
  type Key,
  type Kind,
  type Snapshot,
  type StoredRow,
  type SwapTable,
  unexpected,
} from './swap-table.ts'

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

/** SQLite's clock is the machine's, in whole milliseconds. `unixepoch('subsec')` would need a newer SQLite. */
const nowMs = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

/** Compares and swaps in one INSERT over both rows. */
export class SqliteTable implements SwapTable {
  readonly #namespace: string
  readonly #statements: Statements

  constructor(connection: FirstConnection, options: DriverOptions) {
    this.#namespace = options.namespace
    this.#statements = new Statements(connection, sqlite, options)
  }

  async read(keys: readonly Key[]): Promise<Snapshot> {
    const found = await this.#rows(
      `SELECT ${nowMs} AS now_ms, k.column1 AS kind, t.state AS state, t.expires_ms AS expires_ms
       FROM (VALUES ${keys.map(() => '(?, ?)').join(', ')}) AS k
       LEFT JOIN scalekit_scim_ledger AS t
         ON t.namespace = ? AND t.kind = k.column1 AND t.id = k.column2`,
      [...keys.flatMap(({ kind, id }) => [kind, id]), this.#namespace],
    )
    const rows: { [K in Kind]?: StoredRow } = {}
    for (const { kind, state, expires_ms } of found) {
      if (!isKind(kind)) throw unexpected()
      if (typeof state === 'string' && typeof expires_ms === 'number') {
        rows[kind] = { state, expiresMs: expires_ms }
      }
    }
    const time = found[0]?.now_ms
    if (typeof time !== 'number') throw unexpected()
    return { now: { ms: time, instant: instantFromMs(time) }, rows }
  }

  async swap(snapshot: Snapshot, changes: readonly Change[]): Promise<boolean> {
    const written = await this.#rows(
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
        this.#namespace,
        this.#namespace,
      ],
    )
    return written.length > 0
  }

  async remove({ kind, id }: Key): Promise<boolean> {
    const removed = await this.#rows(
      `DELETE FROM scalekit_scim_ledger WHERE namespace = ? AND kind = ? AND id = ?
       RETURNING state IS NOT NULL AND expires_ms > ${nowMs} AS known`,
      [this.#namespace, kind, id],
    )
    return removed[0]?.known === 1
  }

  async sweep(limit: number): Promise<number> {
    const swept = await this.#rows(
      `DELETE FROM scalekit_scim_ledger WHERE (namespace, kind, id) IN (
         SELECT namespace, kind, id FROM scalekit_scim_ledger
         WHERE expires_ms <= ${nowMs} ORDER BY expires_ms LIMIT ?)
       RETURNING 1`,
      [limit],
    )
    return swept.length
  }

  async #rows(sql: string, parameters: SqlValue[]): Promise<Record<string, unknown>[]> {
    return asRows(await this.#statements.run(sql, parameters))
  }
}

const sqlite: Dialect = {
  schema: sqliteSchema,
  causeOf,
  codeOf,
  hint: () =>
    'SQLite refused: is its file locked for long by somebody else, read-only, full or gone? ' +
    'Events are answered 503 until it is well again',
}

function causeOf(error: unknown): Cause {
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
