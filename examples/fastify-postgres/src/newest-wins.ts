/**
 * Returns the guard, which is the condition for an event to replace a row. If the row is older, every event can replace
 * the row. If the times are equal, a deletion can replace the row. If the times are equal and the row is not a
 * tombstone, every event can replace the row. Without tombstones, an old update would restore a deleted user.
 *
 * The guard is the condition of the upsert itself. PostgreSQL checks this condition on the locked row, which includes
 * the newest write of any process. The times are values of `ctx.occurredAt`, which sort correctly as text.
 */
export function mayWrite(table: 'accounts' | 'groups'): string {
  return `${table}.scim_occurred_at < excluded.scim_occurred_at
    OR (${table}.scim_occurred_at = excluded.scim_occurred_at
      AND (${table}.state <> 'deleted' OR excluded.state = 'deleted'))`
}

/** The time of a group row that a user's event created. Every event of the group is newer than this time. */
export const beforeAllEvents = ''
