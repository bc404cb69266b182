import { Listeners } from '../listeners.ts'
import { DirectoryContents } from './directory-contents.ts'
import { type EnvironmentOptions, EventPublisher } from './event-publisher.ts'
import { type Directory, EnvironmentError, type Group, type Organization, type User } from './records.ts'
import type { EnvironmentSnapshot } from './snapshot.ts'

/**
 * All records of an environment. Calls listeners after each change. If a record does not exist, throws EnvironmentError
 * 'not-found'.
 */
export class EnvironmentRecords extends EventPublisher {
  readonly #organizations = new Map<string, Organization>()
  readonly #contents = new Map<string, DirectoryContents>()
  readonly #changeListeners = new Listeners()

  constructor(options: EnvironmentOptions) {
    super(options)
    if (options.from) this.#restore(options.from)
  }

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
    return found(
      this.#inDirectories((contents) => contents.user(id)),
      'user',
    )
  }

  group(id: string): Group {
    return found(
      this.#inDirectories((contents) => contents.group(id)),
      'group',
    )
  }

  groupsOf({ directoryId, groupIds }: User): Group[] {
    const contents = this.contents(directoryId)
    return groupIds.map((id) => found(contents.group(id), 'group'))
  }

  protected hasId(id: string): boolean {
    const record = this.#inDirectories((contents) => contents.user(id) ?? contents.group(id))
    return record !== undefined || this.#organizations.has(id) || this.#contents.has(id)
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
    else
      this.#contents.set(directory.id, new DirectoryContents(directory, () => this.#changeListeners.call()))
    this.#changeListeners.call()
    return directory
  }

  /** Deletes the organization. Also calls `deleteDirectory` for each of its directories. */
  deleteOrganization(id: string): void {
    for (const directory of this.directoriesOf(id)) this.deleteDirectory(directory.id)
    this.#organizations.delete(id)
    this.#changeListeners.call()
  }

  /**
   * Deletes the directory with its users and groups. Publishes no event, because Scalekit has no event for deleted
   * directories.
   */
  deleteDirectory(id: string): void {
    this.directory(id)
    this.#contents.delete(id)
    this.#changeListeners.call()
  }

  /** Returns the whole environment, for the option `from` in another process. */
  export(): EnvironmentSnapshot {
    const all = [...this.#contents.values()]
    return {
      ...this.exportCounts(),
      organizations: this.organizations,
      directories: this.#directories,
      groups: all.flatMap(({ groups }) => groups),
      users: all.flatMap(({ users }) => users),
    }
  }

  /**
   * Restores groups before users, because a membership needs its group. Checks references, because a person may have
   * edited the file.
   * @throws EnvironmentError for a reference to a missing record, or a name that is taken
   */
  #restore({ organizations, directories, groups, users }: EnvironmentSnapshot): void {
    for (const organization of organizations) this.putOrganization(organization)
    for (const directory of directories) {
      requireNamed(directory.id, directory.organizationId, this.#organizations.get(directory.organizationId))
      this.putDirectory(directory)
    }
    const contentsOf = ({ id, directoryId }: User | Group) =>
      requireNamed(id, directoryId, this.#contents.get(directoryId))
    for (const group of groups) contentsOf(group).putGroup(group)
    for (const user of users) {
      const contents = contentsOf(user)
      for (const id of user.groupIds) requireNamed(user.id, id, contents.group(id))
      contents.putUser(user)
    }
  }

  get #directories(): Directory[] {
    return Array.from(this.#contents.values(), ({ directory }) => directory)
  }

  #inDirectories<Item>(find: (contents: DirectoryContents) => Item | undefined): Item | undefined {
    for (const contents of this.#contents.values()) {
      const item = find(contents)
      if (item !== undefined) return item
    }
    return undefined
  }
}

function requireNamed<Item>(id: string, named: string, item: Item | undefined): Item {
  if (item === undefined)
    throw new EnvironmentError('not-found', `${id} refers to ${named}, which does not exist`)
  return item
}

function found<Item>(item: Item | undefined, kind: string): Item {
  if (item === undefined) throw new EnvironmentError('not-found', `${kind} not found`)
  return item
}
