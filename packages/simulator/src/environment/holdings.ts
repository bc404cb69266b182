import { Listeners } from '../listeners.ts'
import { EnvironmentError } from './errors.ts'
import type { Directory, Group, Organization, User } from './records.ts'
import { Roster } from './roster.ts'

export interface HoldingsSnapshot {
  organizations: readonly Organization[]
  directories: readonly Directory[]
  users: readonly User[]
  groups: readonly Group[]
}

/** All records of an environment: finds them, keeps names unique, and tells that something is not as it was. */
export class Holdings {
  readonly #organizations = new Map<string, Organization>()
  readonly #directories = new Map<string, Directory>()
  readonly #rosters = new Map<string, Roster>()
  readonly #directoryOf = new Map<string, string>()
  readonly #listeners = new Listeners()

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  isTaken(id: string): boolean {
    return this.#directoryOf.has(id) || this.#organizations.has(id) || this.#directories.has(id)
  }

  // ── Finding: what is not there is an EnvironmentError 'not-found' ──

  get organizations(): Organization[] {
    return [...this.#organizations.values()]
  }

  organization(id: string): Organization {
    return found(this.#organizations.get(id), 'organization')
  }

  organizationByExternalId(externalId: string): Organization {
    return found(
      this.organizations.find((one) => one.externalId === externalId),
      'organization',
    )
  }

  directoriesOf(organizationId: string): Directory[] {
    this.organization(organizationId)
    return [...this.#directories.values()].filter((directory) => directory.organizationId === organizationId)
  }

  directory(id: string): Directory {
    return found(this.#directories.get(id), 'directory')
  }

  /** The directory, when it takes changes: one that is disabled hears nothing from its provider. */
  openDirectory(id: string): Directory {
    const directory = this.directory(id)
    if (!directory.enabled) throw new EnvironmentError('directory-disabled', 'the directory is disabled')
    return directory
  }

  roster(directoryId: string): Roster {
    return found(this.#rosters.get(directoryId), 'directory')
  }

  user(id: string): User {
    return found(this.#rosterOf(id)?.user(id), 'user')
  }

  group(id: string): Group {
    return found(this.#rosterOf(id)?.group(id), 'group')
  }

  groupsOf({ groupIds }: User): Group[] {
    return groupIds.map((id) => this.group(id))
  }

  // ── Keeping: a name that another has is an EnvironmentError 'conflict' ──

  putOrganization(organization: Organization): void {
    const { id, externalId } = organization
    const namesake = this.organizations.find(
      (one) => externalId !== undefined && one.externalId === externalId,
    )
    if (namesake && namesake.id !== id) {
      throw new EnvironmentError('conflict', 'another organization has that external id')
    }
    this.#organizations.set(id, organization)
    this.#listeners.tell()
  }

  putDirectory(directory: Directory): void {
    this.#directories.set(directory.id, directory)
    if (!this.#rosters.has(directory.id)) this.#rosters.set(directory.id, new Roster())
    this.#listeners.tell()
  }

  putUser(user: User): void {
    const roster = this.roster(user.directoryId)
    const namesake = roster.userNamed(user.attributes.userName)
    if (namesake && namesake.id !== user.id) {
      throw new EnvironmentError('conflict', 'the directory has a user of that userName already')
    }
    roster.putUser(user)
    this.#directoryOf.set(user.id, user.directoryId)
    this.#listeners.tell()
  }

  putGroup(group: Group): void {
    this.roster(group.directoryId).putGroup(group)
    this.#directoryOf.set(group.id, group.directoryId)
    this.#listeners.tell()
  }

  removeOrganization(id: string): void {
    for (const directory of this.directoriesOf(id)) this.removeDirectory(directory.id)
    this.#organizations.delete(id)
    this.#listeners.tell()
  }

  removeDirectory(id: string): void {
    const { users, groups } = this.roster(id)
    for (const record of [...users, ...groups]) this.#directoryOf.delete(record.id)
    this.#rosters.delete(id)
    this.#directories.delete(id)
    this.#listeners.tell()
  }

  removeUser(user: User): void {
    this.roster(user.directoryId).removeUser(user)
    this.#directoryOf.delete(user.id)
    this.#listeners.tell()
  }

  removeGroup(group: Group): void {
    this.roster(group.directoryId).removeGroup(group.id)
    this.#directoryOf.delete(group.id)
    this.#listeners.tell()
  }

  export(): HoldingsSnapshot {
    const rosters = [...this.#rosters.values()]
    return {
      organizations: this.organizations,
      directories: [...this.#directories.values()],
      groups: rosters.flatMap(({ groups }) => groups),
      users: rosters.flatMap(({ users }) => users),
    }
  }

  /**
   * Groups before people: a membership is counted where its group is there. A file may have been edited by hand.
   * @throws EnvironmentError where one names what is not there, or has another's name
   */
  restore({ organizations, directories, groups, users }: HoldingsSnapshot): void {
    for (const organization of organizations) this.putOrganization(organization)
    for (const directory of directories) {
      requireNamed(directory.id, directory.organizationId, this.#organizations)
      this.putDirectory(directory)
    }
    for (const group of groups) {
      requireNamed(group.id, group.directoryId, this.#directories)
      this.putGroup(group)
    }
    for (const user of users) {
      requireNamed(user.id, user.directoryId, this.#directories)
      const roster = this.roster(user.directoryId)
      for (const id of user.groupIds) requireNamed(user.id, id, { has: () => roster.group(id) !== undefined })
      this.putUser(user)
    }
  }

  #rosterOf(id: string): Roster | undefined {
    const directoryId = this.#directoryOf.get(id)
    return directoryId === undefined ? undefined : this.#rosters.get(directoryId)
  }
}

function requireNamed(id: string, named: string, there: { has(id: string): boolean }): void {
  if (!there.has(named)) throw new EnvironmentError('not-found', `${id} names ${named}, which is not there`)
}

function found<Item>(item: Item | undefined, what: string): Item {
  if (item === undefined) throw new EnvironmentError('not-found', `${what} not found`)
  return item
}
