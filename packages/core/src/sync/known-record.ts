import type { KnownRecord } from './known.ts'
import { SyncError } from './sync-error.ts'

const whenToGive = 'give `ctx.occurredAt` as it was stored, as text in RFC 3339'

/** Rows come from a database, and its own types with them. @throws SyncError naming the field and its type, no value */
export function requireRecord(record: unknown): asserts record is KnownRecord {
  if (typeof record !== 'object' || record === null) {
    throw invalid(`${typeName(record)} where a record belongs: give { id, occurredAt }`)
  }
  const {
    id,
    occurredAt,
    groupIds,
    directoryId,
    organizationId,
  }: { [field in keyof KnownRecord]?: unknown } = record
  if (typeof id !== 'string') throw wrongType('id', id, 'give the id as text, as the events have it')
  if (!isTextOrAbsent(occurredAt)) throw wrongType('occurredAt', occurredAt, whenToGive)
  if (!isTextOrAbsent(directoryId))
    throw wrongType('directoryId', directoryId, 'give it as text, or leave it out')
  if (!isTextOrAbsent(organizationId))
    throw wrongType('organizationId', organizationId, 'give it as text, or leave it out')
  if (groupIds == null) return
  if (!Array.isArray(groupIds)) throw wrongType('groupIds', groupIds, 'give a list of ids, or leave it out')
  const other = groupIds.findIndex((groupId) => typeof groupId !== 'string')
  if (other >= 0) throw wrongType(`groupIds[${other}]`, groupIds[other], 'give a list of ids, each as text')
}

/** @throws SyncError for what `known` gave, where that are no records at all: a database's answer around them, say */
export function requireRecords(records: unknown): void {
  const iterable = Object(records)
  if (Symbol.asyncIterator in iterable || Symbol.iterator in iterable) return
  throw invalid(`${typeName(records)} where records belong: give a list of them, or an (async) iterable`)
}

export function noTime(): SyncError {
  return invalid(`an \`occurredAt\` that is text, but no RFC 3339 time: ${whenToGive}`)
}

export function silent(): SyncError {
  return new SyncError(
    'ERR_SCIM_KNOWN_SILENT',
    '`known` gave no record, and did not end, for 5 minutes: does its database answer? Give its queries a time limit.',
  )
}

function isTextOrAbsent(value: unknown): boolean {
  return value == null || typeof value === 'string'
}

function wrongType(field: string, value: unknown, hint: string): SyncError {
  return invalid(`a record with \`${field}\` of type ${typeName(value)}: ${hint}`)
}

/** Of an object its class, since that says more: Date, say. */
function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return typeof value
  const { name } = Object(value.constructor)
  return typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : 'object'
}

function invalid(problem: string): SyncError {
  return new SyncError('ERR_SCIM_KNOWN_INVALID', `\`known\` gave ${problem}.`)
}
