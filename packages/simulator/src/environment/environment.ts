import { isDeepStrictEqual } from 'node:util'
import type { DirectoryEvent } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { type Randomness, randomText } from '../randomness.ts'
import { EnvironmentRecords } from './environment-records.ts'
import { EnvironmentError, requireText } from './errors.ts'
import { EventPublisher, type PublisherOptions } from './event-publisher.ts'
import { directoryEvent, groupEvent, userDeletedEvent, userEvent } from './events.ts'
import { externalIdAfter, patchedAttributes } from './patches.ts'
import { withMainValues } from './raw-attributes.ts'
import type { Directory, Group, Organization, User } from './records.ts'
import type {
  GroupPatch,
  NewDirectory,
  NewGroup,
  NewOrganization,
  NewUser,
  OrganizationPatch,
  UserPatch,
} from './requests.ts'
import type { EnvironmentSnapshot } from './snapshot.ts'

export type EventListener = (event: DirectoryEvent) => void

export interface EnvironmentOptions extends PublisherOptions {
  /** The records at the start. @default none */
  from?: EnvironmentSnapshot
}

/**
 * One Scalekit environment: organizations, their directories, and the users and groups in them. A call that changes
 * something publishes the event that Scalekit would send. A call that changes nothing publishes no event.
 */
export class Environment extends EnvironmentRecords {
  readonly #publisher: EventPublisher
  readonly #randomness: Randomness

  constructor({ from, ...options }: EnvironmentOptions) {
    super()
    this.#publisher = new EventPublisher(options, from)
    this.#randomness = options.randomness
    if (from) this.restoreRecords(from)
  }

  get id(): string {
    return this.#publisher.environmentId
  }

  /**
   * Calls the listener for each event, in order, before the method that makes the change returns. Returns a function
   * that stops the calls. An error in the listener becomes an uncaught exception.
   */
  onEvent(listener: EventListener): () => void {
    return this.#publisher.onEvent(listener)
  }

  /** Returns the whole environment, for the option `from` in another process. */
  export(): EnvironmentSnapshot {
    return { ...this.#publisher.export(), ...this.exportRecords() }
  }

  /** Runs changes without publishing events, for example to create what existed before the application started. */
  silently<Result>(work: () => Result): Result {
    return this.#publisher.silently(work)
  }

  // ── Organizations and directories ──

  /** @throws EnvironmentError 'conflict' if another organization has the external id */
  createOrganization({ id, displayName, externalId }: NewOrganization): Organization {
    const times = this.#creationTimes()
    return this.putOrganization({
      id: this.#idFor('org', id),
      displayName: requireText('displayName', displayName),
      ...omitUndefined({ externalId }),
      ...times,
    })
  }

  updateOrganization(id: string, patch: OrganizationPatch): Organization {
    const before = this.organization(id)
    const after = { ...before, ...patch }
    requireText('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    return this.putOrganization({ ...after, updatedAtMicros: this.#publisher.nextMicros() })
  }

  createDirectory(organizationId: string, options: NewDirectory = {}): Directory {
    const { displayName } = this.organization(organizationId)
    const { provider = 'OKTA', name = `${displayName} directory`, enabled = true } = options
    const times = this.#creationTimes()
    const id = this.#idFor('dir', options.id)
    // Derived from the id, so that each directory has its own token, even after a restart.
    const scimToken = `scim_${randomText(this.#randomness.fork(id), 24)}`
    const directory = this.putDirectory({ id, organizationId, name, provider, enabled, scimToken, ...times })
    if (enabled) this.#publishDirectory(directory)
    return directory
  }

  setDirectoryEnabled(id: string, enabled: boolean): Directory {
    const before = this.directory(id)
    if (before.enabled === enabled) return before
    const updatedAtMicros = this.#publisher.nextMicros()
    const directory = this.putDirectory({ ...before, enabled, updatedAtMicros })
    this.#publishDirectory(directory)
    return directory
  }

  #publishDirectory(directory: Directory): void {
    this.#publisher.publish(directory.updatedAtMicros, (envelope) => directoryEvent(directory, envelope))
  }

  // ── Users and groups. If the directory is disabled, changes throw EnvironmentError 'directory-disabled'. ──

  /** @throws EnvironmentError 'conflict' if another user of the directory has the userName */
  createUser(directoryId: string, { id, active = true, groupIds, ...fields }: NewUser): User {
    const { organizationId } = this.#enabledDirectory(directoryId)
    const times = this.#creationTimes()
    const user = withMainValues({
      id: this.#idFor('diruser', id),
      organizationId,
      directoryId,
      active,
      attributes: { ...fields.attributes },
      ...omitUndefined({ externalId: fields.externalId, extra: fields.extra }),
      groupIds: this.#existingGroupIds(directoryId, groupIds ?? []),
      ...times,
    })
    return this.#putAndPublishUser('created', user)
  }

  updateUser(id: string, { externalId, attributes, groupIds, ...fields }: UserPatch): User {
    const before = this.user(id)
    this.#enabledDirectory(before.directoryId)
    const { externalId: _, ...others } = before
    const after = withMainValues({
      ...others,
      ...externalIdAfter(before, externalId),
      ...fields,
      attributes: patchedAttributes(before.attributes, attributes ?? {}),
      groupIds: groupIds ? this.#existingGroupIds(before.directoryId, groupIds) : before.groupIds,
    })
    return isDeepStrictEqual(before, after) ? before : this.#changeUser(after)
  }

  deleteUser(id: string): void {
    const user = this.user(id)
    this.#enabledDirectory(user.directoryId)
    this.removeUser(user)
    this.#publisher.publish(this.#publisher.nextMicros(), (envelope) => userDeletedEvent(user, envelope))
  }

  createGroup(directoryId: string, { id, externalId, displayName }: NewGroup): Group {
    const { organizationId } = this.#enabledDirectory(directoryId)
    const times = this.#creationTimes()
    const group = this.putGroup({
      id: this.#idFor('dirgroup', id),
      organizationId,
      directoryId,
      ...omitUndefined({ externalId }),
      displayName: requireText('displayName', displayName),
      ...times,
    })
    this.#publishGroup('created', group)
    return group
  }

  /** Publishes an event for the group, but not for its members. */
  updateGroup(id: string, { externalId, ...fields }: GroupPatch): Group {
    const before = this.group(id)
    this.#enabledDirectory(before.directoryId)
    const { externalId: _, ...others } = before
    const after: Group = { ...others, ...externalIdAfter(before, externalId), ...fields }
    requireText('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    const group = this.putGroup({ ...after, updatedAtMicros: this.#publisher.nextMicros() })
    this.#publishGroup('updated', group)
    return group
  }

  /** Publishes an event for the group, and then one for each member. */
  deleteGroup(id: string): void {
    const group = this.group(id)
    this.#enabledDirectory(group.directoryId)
    const members = this.contents(group.directoryId).membersOf(id)
    this.#publishGroup('deleted', { ...group, updatedAtMicros: this.#publisher.nextMicros() })
    for (const member of members) {
      this.#changeUser({ ...member, groupIds: member.groupIds.filter((groupId) => groupId !== id) })
    }
    this.removeGroup(group)
  }

  /** Publishes an event for the user, because there are no events for the members of a group. */
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
    return this.#putAndPublishUser('updated', { ...after, updatedAtMicros: this.#publisher.nextMicros() })
  }

  #putAndPublishUser(change: 'created' | 'updated', user: User): User {
    requireText('userName', user.attributes.userName)
    this.putUser(user)
    const groups = this.groupsOf(user)
    this.#publisher.publish(user.updatedAtMicros, (envelope) => userEvent(change, user, groups, envelope))
    return user
  }

  #publishGroup(change: 'created' | 'updated' | 'deleted', group: Group): void {
    this.#publisher.publish(group.updatedAtMicros, (envelope) => groupEvent(change, group, envelope))
  }

  #creationTimes(): { createdAtMicros: number; updatedAtMicros: number } {
    const atMicros = this.#publisher.nextMicros()
    return { createdAtMicros: atMicros, updatedAtMicros: atMicros }
  }

  /** Returns the requested id, or the next one. @throws EnvironmentError 'conflict' if a record already has the id */
  #idFor(prefix: string, requested: string | undefined): string {
    if (requested === undefined) return this.#publisher.nextId(prefix)
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
