/** The columns of a row that the guard needs. A deleted row stays as a tombstone. */
export interface GuardedRow {
  state: string
  occurredAt: string
}

/**
 * Whether an event may write to a row. If the row is older, every event may write. If the times are equal, a deletion
 * may write, and any other event may write only if the row is not a tombstone. Without tombstones, an old update would
 * restore a deleted user.
 *
 * Times are `ctx.occurredAt`, which can be compared as text. Call this inside the transaction that writes the row.
 */
export function mayWrite(
  row: GuardedRow | undefined,
  { occurredAt, isDeletion = false }: { occurredAt: string; isDeletion?: boolean },
): boolean {
  if (row === undefined || row.occurredAt < occurredAt) return true
  return row.occurredAt === occurredAt && (row.state !== 'deleted' || isDeletion)
}

/** The time of a group row that a user's event created, before the group's own first event. Every event is newer. */
export const beforeAllEvents = ''
