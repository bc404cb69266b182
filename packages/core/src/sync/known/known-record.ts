import { parseInstant } from '@scalekit-scim/core/internal'
import type { DirectoryRef } from '../reading/records.ts'
import { SyncError } from '../sync-error.ts'

/** The application's record of one user or group. */
export interface KnownRecord {
  id: string
  /**
   * `ctx.occurredAt`, as you stored it with the row, in RFC 3339. Do not use the time of the row's last change, because
   * that time makes the record look newer than the record is. If the field is absent, the sync sends the record again.
   */
  occurredAt?: string | null | undefined
  /**
   * The ids of the user's groups, in any order. If the field is absent, the sync does not compare group memberships.
   */
  groupIds?: readonly string[] | null | undefined
  /**
   * `ctx.directoryId`, as you stored it with the row. If an organization has or had several directories, the sync needs
   * this field. A user who is missing from one directory can be in another directory. Without `directoryId`, the sync
   * holds such deletions.
   * - `null`: the application stores the field, but does not have a value for this row yet. The directory that lists
   *   the record then sends the record again.
   * - Absent: the application does not store the field.
   */
  directoryId?: string | null | undefined
  /**
   * `event.organization_id`, as you stored it with the row. If a record belongs to another organization, the pass
   * reports the record. The pass then deletes no records of this kind in the directory. If the field is absent, the
   * sync does not check the organization.
   */
  organizationId?: string | null | undefined
}

/**
 * Returns the application's records of a directory: the rows that the directory's events created, without tombstones.
 * Do not yield rows of another organization, or of people who did not come from a directory. You can stream the rows.
 *
 * Each full pass calls this function once, before the pass reads the directory. If a record is missing, a pass over
 * several organizations calls this function again. If the function yields nothing for 5 minutes, the pass over the
 * directory ends with `ERR_SCIM_KNOWN_SILENT`.
 */
export type Known = (directory: DirectoryRef) => KnownStream | Promise<KnownStream>
type KnownStream = Iterable<KnownRecord> | AsyncIterable<KnownRecord>

const occurredAtHint = 'yield `ctx.occurredAt` as you stored it, as text in RFC 3339'

/**
 * Checks a record, because rows of a database have the database's types.
 * @throws SyncError with the field and its type, without the value
 */
export function requireRecord(record: unknown): asserts record is KnownRecord {
  if (typeof record !== 'object' || record === null) {
    throw invalid(`${typeName(record)} instead of a record: yield { id, occurredAt }`)
  }
  const fields: { [field in keyof KnownRecord]?: unknown } = record
  const { id, groupIds } = fields
  if (typeof id !== 'string') throw wrongType('id', id, 'yield the id of the events, as text')
  requireText('occurredAt', fields.occurredAt, occurredAtHint)
  requireText('directoryId', fields.directoryId, 'yield it as text, or leave it out')
  requireText('organizationId', fields.organizationId, 'yield it as text, or leave it out')
  if (groupIds == null) return
  if (!Array.isArray(groupIds)) throw wrongType('groupIds', groupIds, 'yield a list of ids, or leave it out')
  const other = groupIds.findIndex((groupId) => typeof groupId !== 'string')
  if (other >= 0) throw wrongType(`groupIds[${other}]`, groupIds[other], 'yield a list of ids, each as text')
}

/**
 * @throws SyncError if `known` returned a different value, such as a database's result object that contains the records
 */
export function requireRecords(records: unknown): void {
  const iterable = Object(records)
  if (Symbol.asyncIterator in iterable || Symbol.iterator in iterable) return
  throw invalid(`${typeName(records)} instead of records: return a list, or an (async) iterable`)
}

/** Returns the nanoseconds since 1970. @throws SyncError if the text is not an RFC 3339 time */
export function nanosecondsOf(occurredAt: string): bigint {
  const instant = parseInstant(occurredAt)
  if (instant === undefined) {
    throw invalid(`an \`occurredAt\` that is text, but not an RFC 3339 time: ${occurredAtHint}`)
  }
  return BigInt(instant)
}

function requireText(field: keyof KnownRecord, value: unknown, hint: string): void {
  if (value != null && typeof value !== 'string') throw wrongType(field, value, hint)
}

function wrongType(field: string, value: unknown, hint: string): SyncError {
  return invalid(`a record with \`${field}\` of type ${typeName(value)}: ${hint}`)
}

/** Returns the name of the value's type. For an object, returns the name of its class, such as Date. */
function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  const { name } = Object(value.constructor)
  return typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : 'object'
}

function invalid(problem: string): SyncError {
  return new SyncError('ERR_SCIM_KNOWN_INVALID', `\`known\` yielded ${problem}.`)
}
