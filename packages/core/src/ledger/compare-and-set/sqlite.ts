import { instantFromMs } from '../../base/instant.ts'
import type { DriverLedger, DriverOptions } from '../driver.ts'
import { CompareAndSetLedger } from './compare-and-set-ledger.ts'
import { isSqlAdapter, ReconnectingAdapter, type SqlValue } from './reconnecting-adapter.ts'
import { codeOf, type Dialect, Statements } from './statements.ts'
import { asNumber, asRows, type CompareAndSetTable, rowsByKind } from './table.ts'

/**
 * Opens the ledger on `@keyv/sqlite`. The adapter has one connection. The Keyv itself also uses the adapter's
 * `query(sql, ...parameters)`.
 *
 * The ledger does not use BEGIN IMMEDIATE, because no connection is safe for a transaction. On the adapter's
 * connection, writes of the application's Keyv would become part of our transaction. A rollback would also undo these
 * writes. A second connection would need the same copy of SQLite that the adapter uses. Two copies in one process break
 * each other's locks ("How To Corrupt An SQLite Database File", 2.2.1). A single statement locks the file only while it
 * runs.
 */
export function openSqlite(adapter: object, options: DriverOptions): DriverLedger | undefined {
  if (!isSqlAdapter(adapter, 'sqlite')) return undefined
  const statements = new Statements(new ReconnectingAdapter(adapter), sqlite, options)
  const guarantee = isShared(adapter.opts.db) ? 'atomic' : 'process'
  return new CompareAndSetLedger(sqliteTable(statements, options.namespace), guarantee, options)
}

/** Whether other connections can open the database. A database in memory belongs to one connection. */
function isShared(file: unknown): boolean {
  return typeof file === 'string' && file !== '' && !/:memory:|mode=memory/.test(file)
}

/**
 * The ledger's only table, with its index. If the table does not exist, the ledger creates it on first use. A row
 * without a state means the same as no row. A sweep later deletes such rows.
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

/** SQLite uses the machine's clock, in whole milliseconds. `unixepoch('subsec')` would need a newer SQLite. */
const nowMs = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

/** Compares and sets both rows in one INSERT. */
function sqliteTable(statements: Statements, namespace: string): CompareAndSetTable {
  const rowsOf = async (sql: string, parameters: SqlValue[]) => asRows(await statements.run(sql, parameters))
  return {
    async read(keys) {
      const found = await rowsOf(
        `SELECT ${nowMs} AS now_ms, k.column1 AS kind, t.state AS state, t.expires_ms AS expires_ms
         FROM (VALUES ${keys.map(() => '(?, ?)').join(', ')}) AS k
         LEFT JOIN scalekit_scim_ledger AS t
           ON t.namespace = ? AND t.kind = k.column1 AND t.id = k.column2`,
        [...keys.flatMap(({ kind, id }) => [kind, id]), namespace],
      )
      const ms = asNumber(found[0]?.now_ms)
      return { now: { ms, instant: instantFromMs(ms) }, rows: rowsByKind(found) }
    },

    async compareAndSet({ rows }, changes) {
      const values = changes.flatMap(({ kind, id, state = null, expiresMs }) => {
        const expected = rows[kind]?.state ?? null
        return [kind, id, expected, state, expiresMs]
      })
      const written = await rowsOf(
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
        [...values, namespace, namespace],
      )
      return written.length > 0
    },

    async sweep(limit) {
      const swept = await rowsOf(
        `DELETE FROM scalekit_scim_ledger WHERE (namespace, kind, id) IN (
           SELECT namespace, kind, id FROM scalekit_scim_ledger
           WHERE expires_ms <= ${nowMs} ORDER BY expires_ms LIMIT ?)
         RETURNING 1`,
        [limit],
      )
      return swept.length
    },
  }
}

const sqlite: Dialect = {
  schema: sqliteSchema,
  causeOf(error) {
    const text = error instanceof Error ? `${codeOf(error)} ${error.message}` : ''
    if (/SQLITE_(BUSY|LOCKED)|database( table)? is locked/.test(text)) return 'busy'
    return /no such table: (main\.)?scalekit_scim_ledger\b/.test(text) ? 'no-table' : 'other'
  },
  hint: () =>
    'SQLite refused the statement: check the disk space, and whether the file is missing, read-only or locked. ' +
    'Events are answered with 503 until SQLite works again',
}
