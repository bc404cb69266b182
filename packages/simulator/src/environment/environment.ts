import { isDeepStrictEqual } from 'node:util'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { randomText } from '../randomness.ts'
import { EnvironmentRecords } from './environment-records.ts'
import { directoryEvent, groupEvent, userDeletedEvent, userEvent } from './events.ts'
import { withMainValues } from './raw-attributes.ts'
import {
  type Directory,
  EnvironmentError,
  type Group,
  type GroupPatch,
  type NewDirectory,
  type NewGroup,
  type NewOrganization,
  type NewUser,
  type Organization,
  type OrganizationPatch,
  requireText,
  type User,
  type UserPatch,
} from './records.ts'

/**
 * One Scalekit environment: organizations, their directories, and the users and groups in them. Each change publishes
 * the event that Scalekit would send. A call without a change does not publish an event.
 */
export class Environment extends EnvironmentRecords {
  // ── Organizations and directories ──

  /** @throws EnvironmentError 'conflict' if another organization has the external id */
  createOrganization({ id, displayName, externalId }: NewOrganization): Organization {
    return this.putOrganization({
      id: this.#idFor('org', id),
      displayName: requireText('displayName', displayName),
      ...omitUndefined({ externalId }),
      ...this.#creationTimes(),
    })
  }

  updateOrganization(id: string, patch: OrganizationPatch): Organization {
    const before = this.organization(id)
    const after = patched(before, patch)
    requireText('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    return this.putOrganization({ ...after, updatedAtMicros: this.nextMicros() })
  }

  createDirectory(organizationId: string, options: NewDirectory = {}): Directory {
    const { displayName } = this.organization(organizationId)
    const { provider = 'OKTA', name = `${displayName} directory`, enabled = true } = options
    const id = this.#idFor('dir', options.id)
    // The token depends on the id, so that each directory has its own token, even after a restart.
    const scimToken = `scim_${randomText(this.randomness.fork(id), 24)}`
    const fields = { id, organizationId, name, provider, enabled, scimToken }
    const directory = this.putDirectory({ ...fields, ...this.#creationTimes() })
    if (enabled) this.publish(directory.updatedAtMicros, directoryEvent(directory))
    return directory
  }

  setDirectoryEnabled(id: string, enabled: boolean): Directory {
    const before = this.directory(id)
    if (before.enabled === enabled) return before
    const directory = this.putDirectory({ ...before, enabled, updatedAtMicros: this.nextMicros() })
    this.publish(directory.updatedAtMicros, directoryEvent(directory))
    return directory
  }

  // ── Users and groups. If the directory is disabled, changes throw EnvironmentError 'directory-disabled'. ──

  /** @throws EnvironmentError 'conflict' if another user of the directory has the userName */
  createUser(directoryId: string, { id, active = true, groupIds, ...fields }: NewUser): User {
    const user = withMainValues({
      ...this.#newRecord('diruser', directoryId, id),
      active,
      attributes: { ...fields.attributes },
      ...omitUndefined({ externalId: fields.externalId, extra: fields.extra }),
      groupIds: this.#existingGroupIds(directoryId, groupIds ?? []),
    })
    return this.#putAndPublishUser('created', user)
  }

  updateUser(id: string, { attributes = {}, groupIds, ...fields }: UserPatch): User {
    const before = this.user(id)
    this.#enabledDirectory(before.directoryId)
    const userName = attributes.userName ?? before.attributes.userName
    const after = withMainValues({
      ...patched(before, fields),
      attributes: patched(before.attributes, { ...attributes, userName }),
      groupIds: groupIds ? this.#existingGroupIds(before.directoryId, groupIds) : before.groupIds,
    })
    return isDeepStrictEqual(before, after) ? before : this.#changeUser(after)
  }

  deleteUser(id: string): void {
    const user = this.user(id)
    this.#enabledDirectory(user.directoryId)
    this.contents(user.directoryId).removeUser(user)
    this.publish(this.nextMicros(), userDeletedEvent(user))
  }

  createGroup(directoryId: string, { id, externalId, displayName }: NewGroup): Group {
    return this.#putAndPublishGroup('created', {
      ...this.#newRecord('dirgroup', directoryId, id),
      ...omitUndefined({ externalId }),
      displayName: requireText('displayName', displayName),
    })
  }

  /** Publishes an event for the group, but not for its members. */
  updateGroup(id: string, patch: GroupPatch): Group {
    const before = this.group(id)
    this.#enabledDirectory(before.directoryId)
    const after = patched(before, patch)
    requireText('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    return this.#putAndPublishGroup('updated', { ...after, updatedAtMicros: this.nextMicros() })
  }

  /** Publishes an event for the group, and then an event for each member. */
  deleteGroup(id: string): void {
    const group = this.group(id)
    this.#enabledDirectory(group.directoryId)
    const contents = this.contents(group.directoryId)
    const members = contents.membersOf(id)
    this.publish(this.nextMicros(), groupEvent('deleted', group))
    for (const member of members) {
      this.#changeUser({ ...member, groupIds: member.groupIds.filter((groupId) => groupId !== id) })
    }
    contents.removeGroup(group)
  }

  /** Publishes an event for the user, because Scalekit does not have an event for memberships. */
  addMember(groupId: string, userId: string): User {
    const user = this.user(userId)
    if (user.groupIds.includes(groupId)) return user
    return this.updateUser(userId, { groupIds: [...user.groupIds, groupId] })
  }

  removeMember(groupId: string, userId: string): User {
    const { groupIds } = this.user(userId)
    return this.updateUser(userId, { groupIds: groupIds.filter((id) => id !== groupId) })
  }

  #changeUser(after: User): User {
    return this.#putAndPublishUser('updated', { ...after, updatedAtMicros: this.nextMicros() })
  }

  #putAndPublishUser(change: 'created' | 'updated', user: User): User {
    requireText('userName', user.attributes.userName)
    this.contents(user.directoryId).putUser(user)
    this.publish(user.updatedAtMicros, userEvent(change, user, this.groupsOf(user)))
    return user
  }

  #putAndPublishGroup(change: 'created' | 'updated', group: Group): Group {
    this.contents(group.directoryId).putGroup(group)
    this.publish(group.updatedAtMicros, groupEvent(change, group))
    return group
  }

  /** Returns the common fields of a new user or group. */
  #newRecord(prefix: string, directoryId: string, id: string | undefined) {
    const { organizationId } = this.#enabledDirectory(directoryId)
    return { id: this.#idFor(prefix, id), organizationId, directoryId, ...this.#creationTimes() }
  }

  #creationTimes(): { createdAtMicros: number; updatedAtMicros: number } {
    const atMicros = this.nextMicros()
    return { createdAtMicros: atMicros, updatedAtMicros: atMicros }
  }

  /** Returns the requested id, or the next generated id. @throws EnvironmentError 'conflict' if the id is taken */
  #idFor(prefix: string, requested: string | undefined): string {
    if (requested === undefined) return this.nextId(prefix)
    if (!requested.startsWith(`${prefix}_`)) {
      throw new EnvironmentError('invalid', `id must begin with ${prefix}_`)
    }
    if (this.hasId(requested)) throw new EnvironmentError('conflict', `${requested} is taken`)
    return requested
  }

  #enabledDirectory(id: string): Directory {
    const directory = this.directory(id)
    if (!directory.enabled) throw new EnvironmentError('directory-disabled', 'the directory is disabled')
    return directory
  }

  #existingGroupIds(directoryId: string, groupIds: readonly string[]): string[] {
    const contents = this.contents(directoryId)
    const distinct = [...new Set(groupIds)]
    if (distinct.every((id) => contents.group(id))) return distinct
    throw new EnvironmentError('not-found', 'group not found')
  }
}

/** Returns the fields after a patch. Absent fields do not change. `null` removes the value of a field. */
function patched<Fields extends object>(
  before: Fields,
  patch: { readonly [Name in keyof Fields]?: Fields[Name] | null },
): Fields {
  const entries = Object.entries({ ...before, ...omitUndefined(patch) }).filter(([, value]) => value !== null)
  // In patches, only optional fields can be null.
  return Object.fromEntries(entries) as Fields
}
