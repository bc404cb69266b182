/** The columns of a row that the guard needs. A deleted row becomes a tombstone. */
export interface GuardedRow {
  state: string
  occurredAt: string
}

/**
 * Returns whether an event can replace a row. If the row is older, every event can replace the row. If the times are
 * equal, a deletion can replace the row. If the times are equal and the row is not a tombstone, every event can replace
 * the row. Without tombstones, an old update would restore a deleted user.
 *
 * The times are values of `ctx.occurredAt`, which sort correctly as text. Call this function inside the transaction
 * that writes the row.
 */
export function mayWrite(
  row: GuardedRow | undefined,
  { occurredAt, isDeletion = false }: { occurredAt: string; isDeletion?: boolean },
): boolean {
  if (row === undefined || row.occurredAt < occurredAt) return true
  return row.occurredAt === occurredAt && (row.state !== 'deleted' || isDeletion)
}

/**
 * The time of a group row that a user's event created. Every event of the group is newer than this time.
 */
export const beforeAllEvents = ''
