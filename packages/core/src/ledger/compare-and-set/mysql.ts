import { createHash } from 'node:crypto'
import { type DriverLedger, type DriverOptions, unexpected } from '../driver.ts'
import { CompareAndSetLedger } from './compare-and-set-ledger.ts'
import { isSqlAdapter, ReconnectingAdapter } from './reconnecting-adapter.ts'
import { codeOf, type Dialect, Statements } from './statements.ts'
import {
  asNumber,
  asRows,
  type Change,
  type CompareAndSetTable,
  type Key,
  rowsByKind,
  type Snapshot,
} from './table.ts'

/**
 * Opens the ledger on `@keyv/mysql`, for MySQL and MariaDB. The adapter's `query(sql)` uses a pool, so two calls can
 * use two connections.
 *
 * The ledger does not use stored routines with `GET_LOCK`. Such routines would need privileges that many accounts lack,
 * and a second copy of the decisions in SQL. One compare-and-set statement is also atomic. If the connection of the
 * statement is lost, no lock remains. The statement needs only four rights on one table.
 */
export function openMysql(adapter: object, options: DriverOptions): DriverLedger | undefined {
  if (!isSqlAdapter(adapter, 'mysql')) return undefined
  const statements = new Statements(new ReconnectingAdapter(adapter, options.clock), mysql, options)
  return new CompareAndSetLedger(new MysqlTable(statements, options.namespace), 'atomic', options)
}

/**
 * The ledger's only table. If the table does not exist, the ledger creates it on first use. The key is a hash, because
 * ids can be longer than an index allows. `name` is for people who read the table. A row without a state means the same
 * as no row.
 */
export const mysqlSchema = [
  `CREATE TABLE IF NOT EXISTS scalekit_scim_ledger (
  row_key BINARY(32) NOT NULL PRIMARY KEY,
  name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state MEDIUMBLOB,
  expires_ms BIGINT NOT NULL,
  KEY scalekit_scim_ledger_expiry (expires_ms)
) ENGINE = InnoDB`,
] as const

/** Microseconds since 1970 by the server's clock. Independent of the server's time zone. */
const nowMicros = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
const nowMs = `FLOOR(${nowMicros} / 1000)`
/** If no state is written to an empty row, the row expires after this time. */
const emptyMs = 600_000

/**
 * Compares and sets up to two rows:
 *
 * - If the rows exist, one UPDATE compares and sets them. In every isolation level, the UPDATE reads the present rows
 *   and locks them.
 * - If all rows are missing, one INSERT writes them. If another process has written one of the rows, the INSERT writes
 *   no row.
 * - If one of two rows is missing, an INSERT first adds an empty row, which means the same as no row. The UPDATE runs
 *   after the INSERT. An INSERT that also compares the old state would lock a gap, which can cause a deadlock.
 *
 * Each statement is one transaction. If the connection is lost, either the whole statement has run or no part of it. No
 * lock remains.
 */
class MysqlTable implements CompareAndSetTable {
  readonly #namespace: string
  readonly #statements: Statements
  #checked = false

  constructor(statements: Statements, namespace: string) {
    this.#statements = statements
    this.#namespace = namespace
  }

  async read(keys: readonly Key[]): Promise<Snapshot> {
    if (!this.#checked) await this.#check()
    const asked = keys.map((key) => `SELECT '${key.kind}' AS kind, ${this.#hash(key)} AS row_key`)
    const found = asRows(
      await this.#statements.run(
        `SELECT ${nowMicros} AS now_us, k.kind AS kind, t.state AS state, t.expires_ms AS expires_ms
         FROM (${asked.join(' UNION ALL ')}) AS k
         LEFT JOIN scalekit_scim_ledger AS t ON t.row_key = k.row_key`,
      ),
    )
    const micros = asNumber(found[0]?.now_us)
    const now = { ms: micros / 1000, instant: `${String(micros).padStart(16, '0')}000` }
    return { now, rows: rowsByKind(found) }
  }

  async compareAndSet(seen: Snapshot, changes: readonly Change[]): Promise<boolean> {
    // All methods name the message before the resource, so they also lock the message first.
    const [first, second] = changes.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
    if (!first) return true
    const missing = changes.filter(({ kind }) => seen.rows[kind] === undefined)
    if (missing.length === changes.length) return this.#insert(changes)
    if (missing.length > 0) {
      const empty = missing.map((key) => `(${this.#hash(key)}, ${this.#name(key)}, ${nowMs} + ${emptyMs})`)
      await this.#statements.run(
        `INSERT IGNORE INTO scalekit_scim_ledger (row_key, name, expires_ms) VALUES ${empty.join(', ')}`,
      )
    }
    const still = (alias: string, row: Change) =>
      `${alias}.row_key = ${this.#hash(row)} AND ${alias}.state <=> ${hex(seen.rows[row.kind]?.state)}`
    const set = (alias: string, { state, expiresMs }: Change) =>
      `${alias}.state = ${hex(state)}, ${alias}.expires_ms = ${Math.ceil(expiresMs)}`
    const changed = await this.#changedRows(
      second
        ? `UPDATE scalekit_scim_ledger AS a JOIN scalekit_scim_ledger AS b ON ${still('b', second)}
           SET ${set('a', first)}, ${set('b', second)} WHERE ${still('a', first)}`
        : `UPDATE scalekit_scim_ledger AS a SET ${set('a', first)} WHERE ${still('a', first)}`,
    )
    return changed > 0
  }

  /** Inserts all the rows. If one row already exists, does not insert a row. */
  async #insert(changes: readonly Change[]): Promise<boolean> {
    const rows = changes.map(
      (row) => `(${this.#hash(row)}, ${this.#name(row)}, ${hex(row.state)}, ${Math.ceil(row.expiresMs)})`,
    )
    const inserted = await this.#statements.run(
      `INSERT INTO scalekit_scim_ledger (row_key, name, state, expires_ms) VALUES ${rows.join(', ')}`,
    )
    return inserted !== undefined
  }

  sweep(limit: number): Promise<number> {
    return this.#changedRows(
      `DELETE FROM scalekit_scim_ledger WHERE expires_ms <= ${nowMs} ORDER BY expires_ms LIMIT ${limit}`,
    )
  }

  /** Checks that each statement is one transaction, and that no read returns half of a transaction. */
  async #check(): Promise<void> {
    const variables = asRows(
      await this.#statements.run(
        "SHOW VARIABLES WHERE Variable_name IN ('autocommit', 'tx_isolation', 'transaction_isolation')",
      ),
    )
    const values = variables.map(({ Value }) => Value)
    if (values.includes('OFF')) throw this.#statements.refuse('AUTOCOMMIT_OFF')
    if (values.includes('READ-UNCOMMITTED')) throw this.#statements.refuse('READ_UNCOMMITTED')
    this.#checked = true
  }

  async #changedRows(sql: string): Promise<number> {
    const result = await this.#statements.run(sql)
    if (typeof result !== 'object' || result === null || !('affectedRows' in result)) throw unexpected()
    return asNumber(result.affectedRows)
  }

  #hash({ kind, id }: Key): string {
    const hash = createHash('sha256').update(JSON.stringify([this.#namespace, kind, id]))
    return `X'${hash.digest('hex')}'`
  }

  #name({ kind, id }: Key): string {
    return `_utf8mb4 ${hex(`${this.#namespace}:${kind}:${id}`.slice(0, 120))}`
  }
}

/** The adapter's `query` does not take parameters, so the ledger writes all text from outside as hexadecimal digits. */
function hex(text: string | undefined): string {
  return text === undefined ? 'NULL' : `X'${Buffer.from(text).toString('hex')}'`
}

const busyCodes = ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD', 'ER_RECORD_CHANGED']

const mysql: Dialect = {
  schema: mysqlSchema,
  causeOf(error) {
    const code = codeOf(error)
    if (busyCodes.includes(code)) return 'busy'
    if (code === 'ER_DUP_ENTRY') return 'taken'
    return code === 'ER_NO_SUCH_TABLE' ? 'no-table' : 'other'
  },
  hint: (code) =>
    `${hints[code] ?? 'MySQL cannot be reached, or refused the statement'}. ` +
    'Events are answered with 503 until MySQL works again',
}

const rights =
  'the account needs SELECT, INSERT, UPDATE and DELETE on scalekit_scim_ledger. If the table is missing, also CREATE ' +
  '(docs/stores/mysql.md)'
const hints: { readonly [code: string]: string } = {
  AUTOCOMMIT_OFF: 'set the server’s `autocommit` to ON: with OFF, no write is committed',
  READ_UNCOMMITTED:
    'set the server’s isolation to READ COMMITTED or above. With a lower isolation, a read can return half a write',
  ER_TABLEACCESS_DENIED_ERROR: rights,
  ER_DBACCESS_DENIED_ERROR: rights,
  ER_NO_DB_ERROR: 'name a database in the Keyv’s `uri`: mysql://user@host/database',
}
