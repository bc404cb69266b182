import { DatabaseSync } from 'node:sqlite'

/**
 * The longest time that a write waits for a write of another process. The time is short, because the wait blocks the
 * whole process. If the wait takes longer, the handler fails. After the reply 500, Scalekit sends the event again.
 */
const busyTimeoutMs = 1000

// The key is the organization and the directory's user id. An email address can change or get another owner.
// `scim_occurred_at` is the time of the event that last wrote the row (see newest-wins.ts). A deleted row becomes a
// tombstone. `directory_id` is NULL before the first event with the directory id. User webhooks do not contain the
// directory id. Events of the sync contain the directory id.
const schema = `
  CREATE TABLE IF NOT EXISTS accounts (
    organization_id  TEXT NOT NULL,
    id               TEXT NOT NULL,
    directory_id     TEXT,
    state            TEXT NOT NULL CHECK (state IN ('active', 'deactivated', 'deleted')),
    email            TEXT,
    name             TEXT,
    roles            TEXT NOT NULL CHECK (json_valid(roles)),
    scim_occurred_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
  ) STRICT;

  CREATE INDEX IF NOT EXISTS accounts_by_time ON accounts (scim_occurred_at);

  CREATE TABLE IF NOT EXISTS groups (
    organization_id  TEXT NOT NULL,
    id               TEXT NOT NULL,
    directory_id     TEXT,
    state            TEXT NOT NULL CHECK (state IN ('active', 'deleted')),
    name             TEXT,
    scim_occurred_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
  ) STRICT;

  CREATE TABLE IF NOT EXISTS memberships (
    organization_id TEXT NOT NULL,
    account_id      TEXT NOT NULL,
    group_id        TEXT NOT NULL,
    PRIMARY KEY (organization_id, account_id, group_id),
    FOREIGN KEY (organization_id, account_id) REFERENCES accounts (organization_id, id),
    FOREIGN KEY (organization_id, group_id) REFERENCES groups (organization_id, id)
  ) STRICT;
`

export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyTimeoutMs })
  // With a write-ahead log, the page can read the accounts while a handler writes an event.
  database.exec('PRAGMA journal_mode = WAL')
  transaction(database, () => {
    database.exec(schema)
    for (const table of ['accounts', 'groups']) addDirectoryId(database, table)
  })
  return database
}

/** Adds the column to a file that an earlier version of this application created. */
function addDirectoryId(database: DatabaseSync, table: string): void {
  const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all()
  if (columns.some(({ name }) => name === 'directory_id')) return
  database.exec(`ALTER TABLE ${table} ADD COLUMN directory_id TEXT`)
}

/**
 * Runs `work` in one transaction. IMMEDIATE takes the write lock before the first read. So no other connection can
 * write while `work` runs. `work` must not await anything.
 */
export function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // If the disk is full, SQLite can end the transaction by itself.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
