/** What a row remembers for the guard. A deleted row stays, as a tombstone. */
export interface GuardedRow {
  state: string
  occurredAt: string
}

/**
 * Whether an event may write to a row: where the row is older; or of the same time, and no tombstone, or the event is
 * the deletion. Without the tombstone, an update from before a deletion would bring the person back.
 *
 * Times are `ctx.occurredAt`, which compares as text. Ask inside the transaction that writes.
 */
export function mayWrite(
  row: GuardedRow | undefined,
  { occurredAt, isDeletion = false }: { occurredAt: string; isDeletion?: boolean },
): boolean {
  if (row === undefined || row.occurredAt < occurredAt) return true
  return row.occurredAt === occurredAt && (row.state !== 'deleted' || isDeletion)
}

/** The time of a row that no event of its own has written yet: every event is newer. */
export const beforeAllEvents = ''
