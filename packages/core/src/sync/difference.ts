import { syncMarginSeconds } from '@scalekit-scim/core/internal'
import { hashOf, type KnownRecords } from './known.ts'
import type { ComparedRecord } from './records.ts'

export type Difference = 'created' | 'updated' | 'repeated' | 'unchanged'

const marginNanos = BigInt(syncMarginSeconds) * 1_000_000_000n

/**
 * What of a record the application does not have. The times on both sides come from clocks that may be half a minute
 * apart, and often in whole seconds, so a record counts as known only where the application's time is a margin beyond
 * it; else it is sent once more. That writes a watermark of at least its reading less the margin, so that it settles.
 * An application that keeps the directory of each record, and does not have it yet, gets the record once more.
 */
export function differenceOf(record: ComparedRecord, known: KnownRecords | undefined): Difference {
  if (!known) return 'updated'
  const index = known.indexOf(record.id)
  if (index === undefined) return 'created'
  if (known.isOfRemoved(index) || known.isToBePlaced(index)) return 'updated'

  const occurredAt = known.occurredAt(index)
  if (occurredAt === undefined || record.updatedAt === undefined) return 'updated'
  const updatedAt = BigInt(record.updatedAt)
  if (occurredAt < updatedAt) return 'updated'
  const groups = known.groupsHash(index)
  if (groups !== undefined && record.groupIds && groups !== hashOf(record.groupIds)) return 'updated'
  return occurredAt < updatedAt + marginNanos ? 'repeated' : 'unchanged'
}
