import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Store } from '@scalekit-scim/express'

/** The `store` of `@scalekit-scim/express`, and a function that closes its connection. */
export interface LedgerStore {
  store: Store
  close(): void | Promise<void>
}

/**
 * Opens the ledger: which messages are done, the newest time of each user and group, and what the sync remembers. It is
 * a table in the file of the accounts, so that a backup of the file has both as they were at the same moment.
 *
 * The store has the shape of `@keyv/sqlite`, of which the ledger uses `query` alone, and runs on Node's own SQLite.
 *
 * The connection is separate from the accounts' one. Each statement is a transaction of its own, and the accounts'
 * transactions never await anything. So neither connection holds a lock while the other one waits for it.
 */
export function openLedgerStore(file: string): LedgerStore {
  // While SQLite waits for a lock, the whole process stands still. With no timeout the ledger itself asks again until
  // `storeTimeoutSeconds` are over, and requests are served in between.
  const database = new DatabaseSync(file, { timeout: 0 })
  // Not flushed to the disk by each statement. The next write to the accounts flushes it, because both are in one
  // write-ahead log. A power failure can take the last messages from the ledger, and the guard is there for that.
  database.exec('PRAGMA synchronous = NORMAL')
  const store = {
    namespace: 'express-sqlite',
    opts: { dialect: 'sqlite', db: file },
    query: async (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).all(...values),
    get: notUsed,
    set: notUsed,
    delete: notUsed,
  }
  return { store, close: () => database.close() }
}

async function notUsed(): Promise<never> {
  throw new Error('The ledger on SQLite uses `query` alone')
}
