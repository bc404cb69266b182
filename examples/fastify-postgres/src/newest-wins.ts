/**
 * The guard: which events may write to an existing row. They may if the row is older. If the times are equal, a deletion
 * may, and any other event may unless the row is a tombstone. Without tombstones, an old update would restore a deleted
 * user.
 *
 * The guard is the condition of the upsert itself. PostgreSQL checks it on the row that it has locked, so it includes
 * the newest write of any process. Times are `ctx.occurredAt`, which can be compared as text.
 */
export function mayWrite(table: 'accounts' | 'groups'): string {
  return `${table}.scim_occurred_at < excluded.scim_occurred_at
    OR (${table}.scim_occurred_at = excluded.scim_occurred_at
      AND (${table}.state <> 'deleted' OR excluded.state = 'deleted'))`
}

/** The time of a row before its first own event. Every event is newer. */
export const beforeAllEvents = ''
