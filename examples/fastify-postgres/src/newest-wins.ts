/**
 * The guard: which events may write to a row that is there. Where the row is older; or of the same time, and no
 * tombstone, or the event is the deletion. Without the tombstone, an update from before a deletion would bring the
 * person back.
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
