import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

// This code only runs each SQL file once, in order. To use down migrations or migrations in code, choose a library.

const folder = new URL('../migrations/', import.meta.url)
/**
 * The number of the lock is arbitrary, but must be the same in every process. If two processes start at the same time,
 * one process waits for the other process.
 */
export const lockKey = 7_225_346_001
/**
 * If a migration waits for a lock on a table, all later statements on the table also wait. So a migration that waits
 * for a lock fails early. You can run the failed migration again.
 */
const lockTimeout = '5s'

/**
 * Runs the new files of `migrations/` in the order of their names, each in its own transaction. Returns the names of
 * the files that have run. If several processes migrate at the same time, each file runs once.
 */
export async function migrate(url: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  // The running query rejects with the same error.
  client.on('error', () => {})
  const applied: string[] = []
  try {
    await client.connect()
    for (const name of files) {
      if (await apply(client, name)) applied.push(name)
    }
  } finally {
    await client.end()
  }
  return applied
}

/**
 * The lock belongs to the transaction. So the lock also works through a pooler. If the process crashes, the lock ends.
 */
async function apply(client: pg.Client, name: string): Promise<boolean> {
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey])
    await client.query(`SET LOCAL lock_timeout = '${lockTimeout}'`)
    await client.query(`
      CREATE TABLE IF NOT EXISTS schema_migrations (
        name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
      )`)
    const { rowCount } = await client.query(
      'INSERT INTO schema_migrations (name) VALUES ($1) ON CONFLICT DO NOTHING',
      [name],
    )
    const isNew = rowCount === 1
    if (isNew) await client.query(await readFile(new URL(name, folder), 'utf8'))
    await client.query('COMMIT')
    return isNew
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
