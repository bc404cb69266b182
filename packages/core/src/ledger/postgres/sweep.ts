import type { PostgresSession } from './session.ts'

const tables = ['messages', 'resources', 'records'] as const

/** One step over one table: what expired first, by the index on the expiry, but for rows that somebody holds. */
export function sweepStatement(schema: string, table: (typeof tables)[number], limit: number): string {
  const name = `${schema}.scalekit_scim_${table}`
  return `WITH swept AS (
  DELETE FROM ${name} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${name} WHERE expires_at <= now() ORDER BY expires_at LIMIT ${limit}
    FOR UPDATE SKIP LOCKED
  )) AND expires_at <= now() RETURNING 1
) SELECT count(*)::int AS answer FROM swept`
}

/** A step over each table; several processes may sweep at once. Gives how many rows went where most did. */
export async function sweepOnce(session: PostgresSession, schema: string, limit: number): Promise<number> {
  let most = 0
  for (const table of tables) {
    const swept = await session.ask(`sweep_${table}`, sweepStatement(schema, table, limit))
    most = Math.max(most, Number(swept))
  }
  return most
}
