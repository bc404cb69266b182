import type { ChronicleSnapshot } from './chronicle.ts'
import type { HoldingsSnapshot } from './holdings.ts'

/** All of an environment, as JSON can hold it. */
export interface EnvironmentSnapshot extends ChronicleSnapshot, HoldingsSnapshot {}

/** Whether something read from a file is what `Environment.export` gave. */
export function isEnvironmentSnapshot(saved: unknown): saved is EnvironmentSnapshot {
  if (!isObject(saved) || !isObject(saved.ids)) return false
  const { id, ids, lastMicros, organizations, directories, groups, users } = saved
  return (
    typeof id === 'string' &&
    typeof ids.prefix === 'string' &&
    typeof ids.count === 'number' &&
    typeof lastMicros === 'number' &&
    isListOf(organizations, ['id', 'displayName']) &&
    isListOf(directories, ['id', 'organizationId', 'name', 'provider', 'scimToken']) &&
    isListOf(groups, ['id', 'organizationId', 'directoryId', 'displayName']) &&
    isListOf(users, ['id', 'organizationId', 'directoryId']) &&
    users.every(hasPersonsFields) &&
    [...groups, ...users].every(
      ({ externalId }) => externalId === undefined || typeof externalId === 'string',
    )
  )
}

type Fields = Record<string, unknown>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Objects that have these fields as texts, and the times of a record. */
function isListOf(value: unknown, texts: readonly string[]): value is Fields[] {
  if (!Array.isArray(value)) return false
  return value.every(
    (item: unknown) =>
      isObject(item) &&
      texts.every((name) => typeof item[name] === 'string') &&
      typeof item.createdAtMicros === 'number' &&
      typeof item.updatedAtMicros === 'number',
  )
}

function hasPersonsFields({ active, attributes, groupIds }: Fields): boolean {
  return (
    typeof active === 'boolean' &&
    isObject(attributes) &&
    typeof attributes.userName === 'string' &&
    Array.isArray(groupIds) &&
    groupIds.every((id) => typeof id === 'string')
  )
}
