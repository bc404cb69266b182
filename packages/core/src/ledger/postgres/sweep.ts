import type { PostgresSession } from './session.ts'

const tables = ['messages', 'resources', 'records'] as const

/**
 * Returns the SQL that deletes expired rows of one table, the oldest first, with the index on the expiry. Skips locked
 * rows.
 */
export function sweepStatement(schema: string, table: (typeof tables)[number], limit: number): string {
  const name = `${schema}.scalekit_scim_${table}`
  return `WITH swept AS (
  DELETE FROM ${name} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${name} WHERE expires_at <= now() ORDER BY expires_at LIMIT ${limit}
    FOR UPDATE SKIP LOCKED
  )) AND expires_at <= now() RETURNING 1
) SELECT count(*)::int AS answer FROM swept`
}

/**
 * Runs one step for each table. Several processes may sweep at the same time.
 * @returns the largest number of rows that were deleted from one table
 */
export async function sweepOnce(session: PostgresSession, schema: string, limit: number): Promise<number> {
  let largest = 0
  for (const table of tables) {
    const swept = await session.ask(`sweep_${table}`, sweepStatement(schema, table, limit))
    largest = Math.max(largest, Number(swept))
  }
  return largest
}
