import { isDeepStrictEqual } from 'node:util'
import type { Clock, DirectoryEvent } from '@scalekit-scim/core'
import type { Randomness } from '../randomness.ts'
import { EnvironmentError } from './errors.ts'
import { directoryEvent, type Envelope, groupEvent, userDeletedEvent, userEvent } from './events.ts'
import type { Directory, Group, Organization, Provider, User, UserAttributes } from './records.ts'
import { Roster } from './roster.ts'

export interface EnvironmentOptions {
  clock: Clock
  randomness: Randomness
  /** The time that a change bears, in whole microseconds. @default the clock's, and later than every one before */
  stampMicros?: () => number
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
  readonly #idPrefix: string
  readonly #listeners = new Set<EventListener>()
  readonly #changeListeners = new Set<() => void>()
  readonly #organizations = new Map<string, Organization>()
  readonly #directories = new Map<string, Directory>()
  readonly #rosters = new Map<string, Roster>()
  readonly #directoryOf = new Map<string, string>()
  #ids = 0
  #lastMicros = 0
  #isSilent = false

  constructor(options: EnvironmentOptions) {
    this.#options = options
    this.#idPrefix = String(10_000_000 + options.randomness.below(89_999_999))
    this.id = this.#nextId('env')
  }

  /** Calls the listener at each event, in order, before the change returns; gives what stops that. */
  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls the listener after each change, also of those of which no event tells; gives what stops that. */
  onChange(listener: () => void): () => void {
    this.#changeListeners.add(listener)
    return () => void this.#changeListeners.delete(listener)
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

  // ── What there is ──

  get organizations(): Organization[] {
    return [...this.#organizations.values()]
  }

  /** @throws EnvironmentError 'not-found' */
  organization(id: string): Organization {
    return found(this.#organizations.get(id), 'organization')
  }

  /** @throws EnvironmentError 'not-found' */
  organizationByExternalId(externalId: string): Organization {
    const organization = this.organizations.find((one) => one.externalId === externalId)
    return found(organization, 'organization')
  }

  directoriesOf(organizationId: string): Directory[] {
    this.organization(organizationId)
    return [...this.#directories.values()].filter((directory) => directory.organizationId === organizationId)
  }

  /** @throws EnvironmentError 'not-found' */
  directory(id: string): Directory {
    return found(this.#directories.get(id), 'directory')
  }

  /** Who and what is in a directory: to be read, never written. @throws EnvironmentError 'not-found' */
  roster(directoryId: string): Roster {
    return found(this.#rosters.get(directoryId), 'directory')
  }

  /** @throws EnvironmentError 'not-found' */
  user(id: string): User {
    return found(this.#rosterOf(id)?.user(id), 'user')
  }

  /** @throws EnvironmentError 'not-found' */
  group(id: string): Group {
    return found(this.#rosterOf(id)?.group(id), 'group')
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
    this.#putOrganization(organization)
    return organization
  }

  updateOrganization(id: string, patch: OrganizationPatch): Organization {
    const before = this.organization(id)
    const after = { ...before, ...patch }
    nonEmpty('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    const organization = { ...after, updatedAtMicros: this.#stamp() }
    this.#putOrganization(organization)
    return organization
  }

  /** Takes its directories with it, as `deleteDirectory` does. */
  deleteOrganization(id: string): void {
    for (const directory of this.directoriesOf(id)) this.deleteDirectory(directory.id)
    this.#organizations.delete(id)
    this.#changed()
  }

  createDirectory(organizationId: string, options: NewDirectory = {}): Directory {
    const { displayName } = this.organization(organizationId)
    const { id, provider = 'OKTA', name = `${displayName} directory`, enabled = true } = options
    const atMicros = this.#stamp()
    const directory: Directory = {
      id: this.#idFor('dir', id),
      organizationId,
      name,
      provider,
      enabled,
      scimToken: `scim_${this.#randomText(24)}`,
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#rosters.set(directory.id, new Roster())
    this.#putDirectory(directory)
    if (enabled) this.#tell(directoryEvent('enabled', directory, this.#envelope(atMicros)))
    return directory
  }

  setDirectoryEnabled(id: string, enabled: boolean): Directory {
    const before = this.directory(id)
    if (before.enabled === enabled) return before
    const directory = { ...before, enabled, updatedAtMicros: this.#stamp() }
    this.#putDirectory(directory)
    const change = enabled ? 'enabled' : 'disabled'
    this.#tell(directoryEvent(change, directory, this.#envelope(directory.updatedAtMicros)))
    return directory
  }

  /** Takes its people and groups with it. Scalekit has no event for that: the application finds out by itself. */
  deleteDirectory(id: string): void {
    const { users, groups } = this.roster(id)
    for (const record of [...users, ...groups]) this.#directoryOf.delete(record.id)
    this.#rosters.delete(id)
    this.#directories.delete(id)
    this.#changed()
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
    this.roster(user.directoryId).removeUser(user)
    this.#directoryOf.delete(id)
    this.#changed()
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
    this.#putGroup(group)
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
    this.#putGroup(group)
    this.#tell(groupEvent('updated', group, this.#envelope(group.updatedAtMicros)))
    return group
  }

  /** Its members are told of it one by one, after the group itself. */
  deleteGroup(id: string): void {
    const group = this.group(id)
    this.#open(group.directoryId)
    const roster = this.roster(group.directoryId)
    const members = roster.membersOf(id)
    this.#tell(groupEvent('deleted', group, this.#envelope(this.#stamp())))
    for (const member of members) {
      this.#changeUser({ ...member, groupIds: member.groupIds.filter((groupId) => groupId !== id) })
    }
    roster.removeGroup(id)
    this.#directoryOf.delete(id)
    this.#changed()
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

  #putOrganization(organization: Organization): void {
    const { externalId } = organization
    const namesake = this.organizations.find(
      (one) => externalId !== undefined && one.externalId === externalId,
    )
    if (namesake && namesake.id !== organization.id) {
      throw new EnvironmentError('conflict', 'another organization has that external id')
    }
    this.#organizations.set(organization.id, organization)
    this.#changed()
  }

  #putDirectory(directory: Directory): void {
    this.#directories.set(directory.id, directory)
    this.#changed()
  }

  #putUser(user: User): void {
    const roster = this.roster(user.directoryId)
    const namesake = roster.userNamed(nonEmpty('userName', user.attributes.userName))
    if (namesake && namesake.id !== user.id) {
      throw new EnvironmentError('conflict', 'the directory has a user of that userName already')
    }
    roster.putUser(user)
    this.#directoryOf.set(user.id, user.directoryId)
    this.#changed()
  }

  #putGroup(group: Group): void {
    this.roster(group.directoryId).putGroup(group)
    this.#directoryOf.set(group.id, group.directoryId)
    this.#changed()
  }

  #rosterOf(id: string): Roster | undefined {
    const directoryId = this.#directoryOf.get(id)
    return directoryId === undefined ? undefined : this.#rosters.get(directoryId)
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
    for (const id of distinct) found(roster.group(id), 'group')
    return distinct
  }

  #changed(): void {
    for (const listener of this.#changeListeners) listener()
  }

  #tell(event: DirectoryEvent): void {
    if (this.#isSilent) return
    for (const listener of this.#listeners) listener(event)
  }

  #envelope(occurredAtMicros: number): Envelope {
    return { eventId: this.#nextId('evt'), environmentId: this.id, occurredAtMicros }
  }

  #stamp(): number {
    if (this.#options.stampMicros) return this.#options.stampMicros()
    this.#lastMicros = Math.max(Math.round(this.#options.clock.now() * 1000), this.#lastMicros + 1)
    return this.#lastMicros
  }

  /** One of the caller's choice, or the next. @throws EnvironmentError 'conflict' when it is taken */
  #idFor(prefix: string, wanted: string | undefined): string {
    if (wanted === undefined) return this.#nextId(prefix)
    if (!wanted.startsWith(`${prefix}_`))
      throw new EnvironmentError('invalid', `id must begin with ${prefix}_`)
    if (this.#directoryOf.has(wanted) || this.#organizations.has(wanted) || this.#directories.has(wanted)) {
      throw new EnvironmentError('conflict', `${wanted} is taken`)
    }
    return wanted
  }

  #nextId(prefix: string): string {
    this.#ids++
    return `${prefix}_${this.#idPrefix}${String(this.#ids).padStart(9, '0')}`
  }

  #randomText(length: number): string {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
    return Array.from({ length }, () => letters[this.#options.randomness.below(letters.length)]).join('')
  }
}

function found<Item>(item: Item | undefined, what: string): Item {
  if (item === undefined) throw new EnvironmentError('not-found', `${what} not found`)
  return item
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
