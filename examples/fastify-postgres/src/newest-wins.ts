/**
 * The guard: which events may write to an existing row. They may if the row is older. If the times are equal, a deletion
 * may, and any other event may unless the row is a tombstone. Without tombstones, an old update would restore a deleted
 * user.
 *
 * It is the condition of the upsert itself, so that PostgreSQL judges it on the row that it has locked: whoever wrote
 * a moment ago, in this process or another, is seen. Times are `ctx.occurredAt`, which compares as text.
 */
export function mayWrite(table: 'accounts' | 'groups'): string {
  return `${table}.scim_occurred_at < excluded.scim_occurred_at
    OR (${table}.scim_occurred_at = excluded.scim_occurred_at
      AND (${table}.state <> 'deleted' OR excluded.state = 'deleted'))`
}

/** The time of a row that no event of its own has written yet: every event is newer. */
export const beforeAllEvents = ''
