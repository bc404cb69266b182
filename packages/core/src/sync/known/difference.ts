import { syncMarginSeconds } from '@scalekit-scim/core/internal'
import type { ComparedRecord } from '../reading/records.ts'
import { hashOf, type KnownRecords } from './known-records.ts'

export type Difference = 'created' | 'updated' | 'repeated' | 'unchanged'

const marginNanos = BigInt(syncMarginSeconds) * 1_000_000_000n

/**
 * Compares a listed record with the application's record.
 *
 * The two times come from different clocks, which may be 30 s apart. The times often have no decimals. So a record is
 * unchanged only if the application's time is later than the record's time by at least the margin. Otherwise the record
 * is sent again. The new event writes a watermark of at least the reading time minus the margin. So a later pass finds
 * the record unchanged.
 */
export function differenceOf(record: ComparedRecord, known: KnownRecords | undefined): Difference {
  if (!known) return 'updated'
  const index = known.indexOf(record.id)
  if (index === undefined) return 'created'
  if (known.isOfRemovedDirectory(index) || known.needsDirectory(index)) return 'updated'

  const occurredAt = known.occurredAt(index)
  if (occurredAt === undefined || record.updatedAt === undefined) return 'updated'
  const updatedAt = BigInt(record.updatedAt)
  if (occurredAt < updatedAt) return 'updated'
  const groups = known.groupsHash(index)
  if (groups !== undefined && record.groupIds && groups !== hashOf(record.groupIds)) return 'updated'
  return occurredAt < updatedAt + marginNanos ? 'repeated' : 'unchanged'
}
