import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Store } from '@scalekit-scim/express'

/** The `store` of `@scalekit-scim/express`, and a function that closes its connection. */
export interface LedgerStore {
  store: Store
  close(): void | Promise<void>
}

/**
 * Opens the ledger: which messages are done, the newest time of each user and group, and the state of the sync. The
 * ledger is a table in the file of the accounts, so that a backup has both from the same moment.
 *
 * The store has the shape of `@keyv/sqlite`, and uses Node's own SQLite. The ledger calls only `query`.
 *
 * The connection is separate from the accounts' one. Each statement is a transaction of its own, and the accounts'
 * transactions never await anything. So neither connection holds a lock while the other one waits for it.
 */
export function openLedgerStore(file: string): LedgerStore {
  // While SQLite waits for a lock, the whole process is blocked. Without a timeout, the ledger itself retries until
  // `storeTimeoutSeconds` are over, and requests are served in between.
  const database = new DatabaseSync(file, { timeout: 0 })
  // A statement does not flush to the disk. The next write to the accounts flushes it, because both are in one
  // write-ahead log. A power failure can remove the last messages from the ledger. The guard protects the rows then.
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
