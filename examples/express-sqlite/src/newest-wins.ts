/** The columns of a row that the guard needs. A deleted row stays as a tombstone. */
export interface GuardedRow {
  state: string
  occurredAt: string
}

/**
 * Whether an event may write to a row. It may if the row is older. If the times are equal, a deletion may, and any other
 * event may unless the row is a tombstone. Without tombstones, an old update would restore a deleted user.
 *
 * Times are `ctx.occurredAt`, which can be compared as text. Call it inside the transaction that writes.
 */
export function mayWrite(
  row: GuardedRow | undefined,
  { occurredAt, isDeletion = false }: { occurredAt: string; isDeletion?: boolean },
): boolean {
  if (row === undefined || row.occurredAt < occurredAt) return true
  return row.occurredAt === occurredAt && (row.state !== 'deleted' || isDeletion)
}

/** The time of a row before its first own event. Every event is newer. */
export const beforeAllEvents = ''
