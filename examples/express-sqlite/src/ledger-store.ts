import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Store } from '@scalekit-scim/express'

/** The `store` of `@scalekit-scim/express`, and a function that closes its connection. */
export interface LedgerStore {
  store: Store
  close(): void | Promise<void>
}

/**
 * Opens the ledger. The ledger stores the ids of done messages, the newest time of each user and group, and the state
 * of the sync. The ledger is in the file of the accounts, so a backup contains the ledger and the accounts in the same
 * state.
 *
 * The store has the same properties as an adapter of `@keyv/sqlite`, but uses Node's own SQLite. `query` is the only
 * method that the ledger calls.
 *
 * The ledger and the accounts use separate connections. Each statement of the ledger is its own transaction. The
 * accounts' transactions never await anything. So in one process, no connection ever waits for the lock of another
 * connection.
 */
export function openLedgerStore(file: string): LedgerStore {
  // SQLite itself must not wait for locks, because such a wait blocks the whole process. Instead, the ledger retries
  // its statement for at most `storeTimeoutSeconds`. Between the retries, the server serves requests.
  const database = new DatabaseSync(file, { timeout: 0 })
  // SQLite does not flush the ledger's writes to the disk immediately. The next write to the accounts also flushes the
  // ledger's writes, because all writes use one write-ahead log. A power failure can remove the ledger's last messages.
  // Even after a loss of messages, the guard protects the rows.
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
  throw new Error('The ledger on SQLite calls only `query`')
}
