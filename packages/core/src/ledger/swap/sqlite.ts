import type { DrivenLedger, Driver } from '../driver.ts'
import { FirstConnection, isSqlAdapter } from './first-connection.ts'
import { SqliteTable } from './sqlite-table.ts'
import { SwapLedger } from './swap-ledger.ts'

/**
 * `@keyv/sqlite`: one connection, which `query(sql, ...parameters)` shares with all that the Keyv itself does.
 *
 * There is no BEGIN IMMEDIATE here, because none would be sound. What the application's Keyv writes meanwhile would
 * fall into our transaction, and be undone with it. A connection of our own would need the very copy of SQLite that the
 * adapter has: two copies in one process break each other's locks on a file ("How To Corrupt An SQLite Database File",
 * 2.2.1). One statement locks the file for as long as it runs, and no longer.
 */
export const sqliteDriver: Driver = {
  open(adapter, options): DrivenLedger | undefined {
    if (!isSqlAdapter(adapter, 'sqlite')) return undefined
    const connection = new FirstConnection(adapter)
    const guarantee = isShared(adapter.opts.db) ? 'atomic' : 'process'
    return new SwapLedger(new SqliteTable(connection, options), guarantee, options)
  },
}

/** A database in memory is seen by its one connection alone. */
function isShared(file: unknown): boolean {
  return typeof file === 'string' && file !== '' && !/:memory:|mode=memory/.test(file)
}
