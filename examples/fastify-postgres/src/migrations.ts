import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

// Twenty lines and plain SQL: this only runs files in their order, once. Use a library for down migrations, or for
// migrations in code.

const folder = new URL('../migrations/', import.meta.url)
/** Any number, but the same in every process: of two that start at once, one waits for the other. */
export const lockKey = 7_225_346_001
/** While a migration waits for a table, everybody else waits behind it: better to fail, and to be run again. */
const lockTimeout = '5s'

/**
 * Runs the files of `migrations/` that this database has not seen, in the order of their names, each in a transaction
 * of its own, and gives their names. Run by many processes at once, each file runs once.
 */
export async function migrate(url: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  // The query that runs meanwhile rejects with it as well.
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

/** The lock belongs to the transaction, so that it works through a pooler too, and ends with a process that dies. */
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
