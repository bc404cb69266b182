import { isDeepStrictEqual } from 'node:util'
import type { Clock, DirectoryEvent } from '@scalekit-scim/core'
import { type Randomness, randomText } from '../randomness.ts'
import { EnvironmentError } from './errors.ts'
import { directoryEvent, type Envelope, groupEvent, userDeletedEvent, userEvent } from './events.ts'
import { Holdings } from './holdings.ts'
import { Ids } from './ids.ts'
import type { Directory, Group, Organization, Provider, User, UserAttributes } from './records.ts'
import type { Roster } from './roster.ts'
import type { EnvironmentSnapshot } from './snapshot.ts'

export interface EnvironmentOptions {
  clock: Clock
  randomness: Randomness
  /** The time that a change bears, in whole microseconds. @default the clock's, and later than every one before */
  stampMicros?: () => number
  /** What there is at the start. @default nothing */
  from?: EnvironmentSnapshot
}

export interface NewOrganization {
  id?: string
  displayName: string
  externalId?: string
}

/** What is absent stays. */
export interface OrganizationPatch {
  displayName?: string
  externalId?: string
}

export interface NewDirectory {
  id?: string
  name?: string
  /** @default 'OKTA' */
  provider?: Provider
  /** @default true */
  enabled?: boolean
}

export interface NewUser {
  id?: string
  externalId?: string
  /** @default true */
  active?: boolean
  attributes: UserAttributes
  extra?: Record<string, unknown>
  groupIds?: readonly string[]
}

/** What is absent stays; an attribute of `null` is removed. */
export interface UserPatch {
  externalId?: string
  active?: boolean
  attributes?: { [Name in keyof UserAttributes]?: UserAttributes[Name] | null }
  /** Replaces all that was there. */
  extra?: Record<string, unknown>
  /** Replaces all memberships. */
  groupIds?: readonly string[]
}

export interface NewGroup {
  id?: string
  externalId?: string
  displayName: string
}

export interface GroupPatch {
  externalId?: string
  displayName?: string
}

export type EventListener = (event: DirectoryEvent) => void

/**
 * One Scalekit environment: customers, their directories, and the people and groups in them. Each change that leaves
 * something different tells its listeners the event that Scalekit would send; one that changes nothing tells none.
 */
export class Environment {
  readonly id: string
  readonly #options: EnvironmentOptions
  readonly #ids: Ids
  readonly #holdings = new Holdings()
  readonly #listeners = new Set<EventListener>()
  #lastMicros: number
  #isSilent = false

  constructor(options: EnvironmentOptions) {
    const { randomness, from } = options
    this.#options = options
    this.#ids = new Ids(randomness, from?.ids)
    this.#lastMicros = from?.lastMicros ?? 0
    this.id = from?.id ?? this.#ids.next('env')
    if (from) this.#holdings.restore(from)
  }

  /** Calls the listener at each event, in order, before the change returns; gives what stops that. */
  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls the listener after each change, also of those of which no event tells; gives what stops that. */
  onChange(listener: () => void): () => void {
    return this.#holdings.onChange(listener)
  }

  /** All that there is, for `from` in another process. */
  export(): EnvironmentSnapshot {
    return {
      id: this.id,
      ids: this.#ids.export(),
      lastMicros: this.#lastMicros,
      ...this.#holdings.export(),
    }
  }

  /** Makes changes of which no event tells: what was there before anybody listened. */
  silently<Result>(work: () => Result): Result {
    const before = this.#isSilent
    this.#isSilent = true
    try {
      return work()
    } finally {
      this.#isSilent = before
    }
  }

  // ── What there is: what is not is an EnvironmentError 'not-found' ──

  get organizations(): Organization[] {
    return this.#holdings.organizations
  }

  organization(id: string): Organization {
    return this.#holdings.organization(id)
  }

  organizationByExternalId(externalId: string): Organization {
    return this.#holdings.organizationByExternalId(externalId)
  }

  directoriesOf(organizationId: string): Directory[] {
    return this.#holdings.directoriesOf(organizationId)
  }

  directory(id: string): Directory {
    return this.#holdings.directory(id)
  }

  /** Who and what is in a directory: to be read, never written. */
  roster(directoryId: string): Roster {
    return this.#holdings.roster(directoryId)
  }

  user(id: string): User {
    return this.#holdings.user(id)
  }

  group(id: string): Group {
    return this.#holdings.group(id)
  }

  groupsOf(user: User): Group[] {
    return user.groupIds.map((id) => this.group(id))
  }

  // ── Customers and their directories ──

  /** @throws EnvironmentError 'conflict' when another customer has that external id */
  createOrganization({ id, displayName, externalId }: NewOrganization): Organization {
    const atMicros = this.#stamp()
    const organization: Organization = {
      id: this.#idFor('org', id),
      displayName: nonEmpty('displayName', displayName),
      ...(externalId === undefined ? {} : { externalId }),
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#holdings.putOrganization(organization)
    return organization
  }

  updateOrganization(id: string, patch: OrganizationPatch): Organization {
    const before = this.organization(id)
    const after = { ...before, ...patch }
    nonEmpty('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    const organization = { ...after, updatedAtMicros: this.#stamp() }
    this.#holdings.putOrganization(organization)
    return organization
  }

  /** Takes its directories with it, as `deleteDirectory` does. */
  deleteOrganization(id: string): void {
    this.#holdings.removeOrganization(id)
  }

  createDirectory(organizationId: string, options: NewDirectory = {}): Directory {
    const { displayName } = this.organization(organizationId)
    const { id, provider = 'OKTA', name = `${displayName} directory`, enabled = true } = options
    const atMicros = this.#stamp()
    const directoryId = this.#idFor('dir', id)
    const directory: Directory = {
      id: directoryId,
      organizationId,
      name,
      provider,
      enabled,
      // By its own id, so that one made after a restart has another token than the first.
      scimToken: `scim_${randomText(this.#options.randomness.fork(directoryId), 24)}`,
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#holdings.putDirectory(directory)
    if (enabled) this.#tell(directoryEvent('enabled', directory, this.#envelope(atMicros)))
    return directory
  }

  setDirectoryEnabled(id: string, enabled: boolean): Directory {
    const before = this.directory(id)
    if (before.enabled === enabled) return before
    const directory = { ...before, enabled, updatedAtMicros: this.#stamp() }
    this.#holdings.putDirectory(directory)
    const change = enabled ? 'enabled' : 'disabled'
    this.#tell(directoryEvent(change, directory, this.#envelope(directory.updatedAtMicros)))
    return directory
  }

  /** Takes its people and groups with it. Scalekit has no event for that: the application finds out by itself. */
  deleteDirectory(id: string): void {
    this.#holdings.removeDirectory(id)
  }

  // ── People ──

  /** @throws EnvironmentError 'conflict' when the directory has somebody of that userName */
  createUser(
    directoryId: string,
    { id, externalId, active = true, attributes, extra, groupIds }: NewUser,
  ): User {
    const { organizationId } = this.#open(directoryId)
    const atMicros = this.#stamp()
    const userId = this.#idFor('diruser', id)
    const user: User = {
      id: userId,
      organizationId,
      directoryId,
      externalId: externalId ?? userId.replace('diruser_', '00u'),
      active,
      attributes: { ...attributes },
      ...(extra === undefined ? {} : { extra }),
      groupIds: this.#membershipsIn(directoryId, groupIds ?? []),
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#putUser(user)
    this.#tell(userEvent('created', user, this.groupsOf(user), this.#envelope(atMicros)))
    return user
  }

  updateUser(id: string, { attributes, groupIds, ...fields }: UserPatch): User {
    const before = this.user(id)
    this.#open(before.directoryId)
    const after: User = {
      ...before,
      ...fields,
      attributes: patched(before.attributes, attributes ?? {}),
      groupIds: groupIds ? this.#membershipsIn(before.directoryId, groupIds) : before.groupIds,
    }
    return isDeepStrictEqual(before, after) ? before : this.#changeUser(after)
  }

  deleteUser(id: string): void {
    const user = this.user(id)
    this.#open(user.directoryId)
    this.#holdings.removeUser(user)
    this.#tell(userDeletedEvent(user, this.#envelope(this.#stamp())))
  }

  // ── Groups: who is in one is told by its members' events alone ──

  createGroup(directoryId: string, { id, externalId, displayName }: NewGroup): Group {
    const { organizationId } = this.#open(directoryId)
    const atMicros = this.#stamp()
    const groupId = this.#idFor('dirgroup', id)
    const group: Group = {
      id: groupId,
      organizationId,
      directoryId,
      externalId: externalId ?? groupId.replace('dirgroup_', '00g'),
      displayName: nonEmpty('displayName', displayName),
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#holdings.putGroup(group)
    this.#tell(groupEvent('created', group, this.#envelope(atMicros)))
    return group
  }

  /** A new name is told by the group's event, not by one of each member. */
  updateGroup(id: string, patch: GroupPatch): Group {
    const before = this.group(id)
    this.#open(before.directoryId)
    const after = { ...before, ...patch }
    nonEmpty('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    const group = { ...after, updatedAtMicros: this.#stamp() }
    this.#holdings.putGroup(group)
    this.#tell(groupEvent('updated', group, this.#envelope(group.updatedAtMicros)))
    return group
  }

  /** Its members are told of it one by one, after the group itself. */
  deleteGroup(id: string): void {
    const group = this.group(id)
    this.#open(group.directoryId)
    const members = this.roster(group.directoryId).membersOf(id)
    this.#tell(groupEvent('deleted', group, this.#envelope(this.#stamp())))
    for (const member of members) {
      this.#changeUser({ ...member, groupIds: member.groupIds.filter((groupId) => groupId !== id) })
    }
    this.#holdings.removeGroup(group)
  }

  addMember(groupId: string, userId: string): User {
    const { groupIds } = this.user(userId)
    return groupIds.includes(groupId)
      ? this.user(userId)
      : this.updateUser(userId, { groupIds: [...groupIds, groupId] })
  }

  removeMember(groupId: string, userId: string): User {
    const { groupIds } = this.user(userId)
    return this.updateUser(userId, { groupIds: groupIds.filter((id) => id !== groupId) })
  }

  // ── Inside ──

  #changeUser(after: User): User {
    const user = { ...after, updatedAtMicros: this.#stamp() }
    this.#putUser(user)
    this.#tell(userEvent('updated', user, this.groupsOf(user), this.#envelope(user.updatedAtMicros)))
    return user
  }

  #putUser(user: User): void {
    nonEmpty('userName', user.attributes.userName)
    this.#holdings.putUser(user)
  }

  /** The directory, when it takes changes: one that is disabled hears nothing from its provider. */
  #open(directoryId: string): Directory {
    const directory = this.directory(directoryId)
    if (!directory.enabled) throw new EnvironmentError('directory-disabled', 'the directory is disabled')
    return directory
  }

  #membershipsIn(directoryId: string, groupIds: readonly string[]): string[] {
    const roster = this.roster(directoryId)
    const distinct = [...new Set(groupIds)]
    for (const id of distinct) {
      if (!roster.group(id)) throw new EnvironmentError('not-found', 'group not found')
    }
    return distinct
  }

  #tell(event: DirectoryEvent): void {
    if (this.#isSilent) return
    for (const listener of this.#listeners) listener(event)
  }

  #envelope(occurredAtMicros: number): Envelope {
    return { eventId: this.#ids.next('evt'), environmentId: this.id, occurredAtMicros }
  }

  #stamp(): number {
    if (this.#options.stampMicros) return this.#options.stampMicros()
    this.#lastMicros = Math.max(Math.round(this.#options.clock.now() * 1000), this.#lastMicros + 1)
    return this.#lastMicros
  }

  /** One of the caller's choice, or the next. @throws EnvironmentError 'conflict' when it is taken */
  #idFor(prefix: string, wanted: string | undefined): string {
    if (wanted === undefined) return this.#ids.next(prefix)
    if (!wanted.startsWith(`${prefix}_`))
      throw new EnvironmentError('invalid', `id must begin with ${prefix}_`)
    if (this.#holdings.isTaken(wanted)) throw new EnvironmentError('conflict', `${wanted} is taken`)
    return wanted
  }
}

function nonEmpty(name: string, text: string): string {
  if (text.trim() === '') throw new EnvironmentError('invalid', `${name} must not be empty`)
  return text
}

function patched(
  before: Readonly<UserAttributes>,
  patch: NonNullable<UserPatch['attributes']>,
): UserAttributes {
  const { userName = before.userName, ...others } = patch
  const entries = Object.entries({ ...before, ...others }).filter(([, value]) => value != null)
  return { ...Object.fromEntries(entries), userName: userName ?? before.userName }
}
