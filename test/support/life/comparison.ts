import { DatabaseSync } from 'node:sqlite'
import type { Environment } from '@scalekit-scim/simulator'

/** A user or a group as text, so that tests can compare the directory with the application. */
type Records = Map<string, string>

export interface Mismatch {
  id: string
  directory: string
  application: string
}

export function directoryRecords(environment: Environment): Records {
  const records: Records = new Map()
  for (const organization of environment.organizations) {
    for (const directory of environment.directoriesOf(organization.id)) {
      const { users, groups } = environment.contents(directory.id)
      for (const { id, active, attributes, groupIds } of users) {
        const { email, givenName, familyName } = attributes
        const state = active ? 'active' : 'deactivated'
        const name = [givenName, familyName].join(' ')
        records.set(id, JSON.stringify([organization.id, state, email, name, groupIds.toSorted()]))
      }
      for (const { id, displayName } of groups) {
        records.set(id, JSON.stringify([organization.id, displayName]))
      }
    }
  }
  return records
}

export function applicationRecords(databaseFile: string): { records: Records; deleted: Set<string> } {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5000 })
  try {
    const records: Records = new Map()
    const deleted = new Set<string>()
    const users = database.prepare(`
      SELECT *, (SELECT json_group_array(group_id) FROM memberships
        WHERE memberships.organization_id = accounts.organization_id AND account_id = accounts.id) AS group_ids
      FROM accounts`)
    for (const { id, organization_id, state, email, name, group_ids } of users.all()) {
      const groupIds: string[] = JSON.parse(String(group_ids))
      if (state === 'deleted') deleted.add(String(id))
      else records.set(String(id), JSON.stringify([organization_id, state, email, name, groupIds.sort()]))
    }
    for (const { id, organization_id, state, name } of database.prepare('SELECT * FROM groups').all()) {
      if (state === 'deleted') deleted.add(String(id))
      else records.set(String(id), JSON.stringify([organization_id, name]))
    }
    return { records, deleted }
  } finally {
    database.close()
  }
}

export function mismatches(environment: Environment, databaseFile: string): Mismatch[] {
  const directory = directoryRecords(environment)
  const { records, deleted } = applicationRecords(databaseFile)
  const ids = new Set([...directory.keys(), ...records.keys()])
  return [...ids]
    .filter((id) => directory.get(id) !== records.get(id))
    .map((id) => ({
      id,
      directory: directory.get(id) ?? 'none',
      application: records.get(id) ?? (deleted.has(id) ? 'deleted' : 'none'),
    }))
}

/**
 * Returns the users that the application has deleted although the directory lists them. The list must always be empty.
 */
export function harmed(environment: Environment, databaseFile: string): string[] {
  const { deleted } = applicationRecords(databaseFile)
  return [...directoryRecords(environment).keys()].filter((id) => deleted.has(id))
}
