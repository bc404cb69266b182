import { Listeners } from '../listeners.ts'
import { DirectoryContents } from './directory-contents.ts'
import { EnvironmentError } from './errors.ts'
import type { Directory, Group, Organization, User } from './records.ts'
import type { EnvironmentSnapshot } from './snapshot.ts'

/**
 * All records of an environment. Finds records, keeps names unique, and calls listeners after each change. If a record
 * does not exist, throws EnvironmentError 'not-found'.
 */
export class EnvironmentRecords {
  readonly #organizations = new Map<string, Organization>()
  readonly #contents = new Map<string, DirectoryContents>()
  /** The directory of each user and group. */
  readonly #directoryIds = new Map<string, string>()
  readonly #changeListeners = new Listeners()

  /**
   * Calls the listener after each change, including changes without an event. Returns a function that stops the calls.
   * An error in the listener becomes an uncaught exception.
   */
  onChange(listener: () => void): () => void {
    return this.#changeListeners.add(listener)
  }

  get organizations(): Organization[] {
    return [...this.#organizations.values()]
  }

  organization(id: string): Organization {
    return found(this.#organizations.get(id), 'organization')
  }

  organizationByExternalId(externalId: string): Organization {
    const organization = this.organizations.find((one) => one.externalId === externalId)
    return found(organization, 'organization')
  }

  directoriesOf(organizationId: string): Directory[] {
    this.organization(organizationId)
    return this.#directories.filter((directory) => directory.organizationId === organizationId)
  }

  directory(id: string): Directory {
    return this.contents(id).directory
  }

  /** Returns the users and groups of a directory. The caller must not change them. */
  contents(directoryId: string): DirectoryContents {
    return found(this.#contents.get(directoryId), 'directory')
  }

  user(id: string): User {
    return found(this.#contentsWith(id)?.user(id), 'user')
  }

  group(id: string): Group {
    return found(this.#contentsWith(id)?.group(id), 'group')
  }

  groupsOf({ groupIds }: User): Group[] {
    return groupIds.map((id) => this.group(id))
  }

  protected hasId(id: string): boolean {
    return this.#directoryIds.has(id) || this.#organizations.has(id) || this.#contents.has(id)
  }

  /** @throws EnvironmentError 'conflict' if another organization has the external id */
  protected putOrganization(organization: Organization): Organization {
    const { id, externalId } = organization
    const isTaken = (other: Organization) => other.externalId === externalId && other.id !== id
    if (externalId !== undefined && this.organizations.some(isTaken)) {
      throw new EnvironmentError('conflict', 'another organization has this external id')
    }
    this.#organizations.set(id, organization)
    this.#changeListeners.call()
    return organization
  }

  protected putDirectory(directory: Directory): Directory {
    const contents = this.#contents.get(directory.id)
    if (contents) contents.directory = directory
    else this.#contents.set(directory.id, new DirectoryContents(directory))
    this.#changeListeners.call()
    return directory
  }

  /** @throws EnvironmentError 'conflict' if another user of the directory has the userName */
  protected putUser(user: User): User {
    const contents = this.contents(user.directoryId)
    const namesake = contents.userNamed(user.attributes.userName)
    if (namesake && namesake.id !== user.id) {
      throw new EnvironmentError('conflict', 'another user of the directory has this userName')
    }
    contents.putUser(user)
    this.#directoryIds.set(user.id, user.directoryId)
    this.#changeListeners.call()
    return user
  }

  protected putGroup(group: Group): Group {
    this.contents(group.directoryId).putGroup(group)
    this.#directoryIds.set(group.id, group.directoryId)
    this.#changeListeners.call()
    return group
  }

  protected removeUser(user: User): void {
    this.contents(user.directoryId).removeUser(user)
    this.#directoryIds.delete(user.id)
    this.#changeListeners.call()
  }

  protected removeGroup(group: Group): void {
    this.contents(group.directoryId).removeGroup(group)
    this.#directoryIds.delete(group.id)
    this.#changeListeners.call()
  }

  /** Deletes the organization and its directories, each as `deleteDirectory` does. */
  deleteOrganization(id: string): void {
    for (const directory of this.directoriesOf(id)) this.deleteDirectory(directory.id)
    this.#organizations.delete(id)
    this.#changeListeners.call()
  }

  /** Deletes the directory with its users and groups. Publishes no event, because Scalekit has none for this. */
  deleteDirectory(id: string): void {
    const { users, groups } = this.contents(id)
    for (const record of [...users, ...groups]) this.#directoryIds.delete(record.id)
    this.#contents.delete(id)
    this.#changeListeners.call()
  }

  protected exportRecords() {
    const all = [...this.#contents.values()]
    return {
      organizations: this.organizations,
      directories: this.#directories,
      groups: all.flatMap(({ groups }) => groups),
      users: all.flatMap(({ users }) => users),
    }
  }

  /**
   * Restores groups before users, because a membership needs its group. Checks references, because the file may have
   * been edited by hand.
   * @throws EnvironmentError if a record refers to a missing record, or has the name of another record
   */
  protected restoreRecords({ organizations, directories, groups, users }: EnvironmentSnapshot): void {
    for (const organization of organizations) this.putOrganization(organization)
    for (const directory of directories) {
      requireNamed(directory.id, directory.organizationId, this.#organizations)
      this.putDirectory(directory)
    }
    for (const group of groups) {
      requireNamed(group.id, group.directoryId, this.#contents)
      this.putGroup(group)
    }
    for (const user of users) {
      requireNamed(user.id, user.directoryId, this.#contents)
      const contents = this.contents(user.directoryId)
      for (const id of user.groupIds)
        requireNamed(user.id, id, { has: () => contents.group(id) !== undefined })
      this.putUser(user)
    }
  }

  get #directories(): Directory[] {
    return Array.from(this.#contents.values(), ({ directory }) => directory)
  }

  #contentsWith(recordId: string): DirectoryContents | undefined {
    return this.#contents.get(this.#directoryIds.get(recordId) ?? '')
  }
}

function requireNamed(id: string, named: string, existing: { has(id: string): boolean }): void {
  if (!existing.has(named))
    throw new EnvironmentError('not-found', `${id} names ${named}, which does not exist`)
}

function found<Item>(item: Item | undefined, kind: string): Item {
  if (item === undefined) throw new EnvironmentError('not-found', `${kind} not found`)
  return item
}
