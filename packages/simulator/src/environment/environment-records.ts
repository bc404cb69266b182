import { Listeners } from '../listeners.ts'
import { DirectoryContents } from './directory-contents.ts'
import { type EnvironmentOptions, EventPublisher } from './event-publisher.ts'
import type { EnvironmentSnapshot } from './records.ts'
import { type Directory, EnvironmentError, type Group, type Organization, type User } from './records.ts'

/**
 * All records of an environment. Calls listeners after each change. For an unknown record, throws EnvironmentError
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
    return found(this.#organizations.get(id), 'organization not found')
  }

  organizationByExternalId(externalId: string): Organization {
    const organization = this.organizations.find((one) => one.externalId === externalId)
    return found(organization, 'organization not found')
  }

  directoriesOf(organizationId: string): Directory[] {
    this.organization(organizationId)
    return this.#directories.filter((directory) => directory.organizationId === organizationId)
  }

  directory(id: string): Directory {
    return this.contents(id).directory
  }

  /** Returns the users and groups of a directory. The caller must not change the returned records. */
  contents(directoryId: string): DirectoryContents {
    return found(this.#contents.get(directoryId), 'directory not found')
  }

  user(id: string): User {
    return this.#inDirectories('user', (contents) => contents.user(id))
  }

  group(id: string): Group {
    return this.#inDirectories('group', (contents) => contents.group(id))
  }

  groupsOf({ directoryId, groupIds }: User): Group[] {
    const contents = this.contents(directoryId)
    return groupIds.map((id) => found(contents.group(id), 'group not found'))
  }

  protected hasId(id: string): boolean {
    if (this.#organizations.has(id) || this.#contents.has(id)) return true
    return [...this.#contents.values()].some((contents) => contents.user(id) ?? contents.group(id))
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
    const changed = () => this.#changeListeners.call()
    const contents = this.#contents.get(directory.id) ?? new DirectoryContents(directory, changed)
    contents.directory = directory
    this.#contents.set(directory.id, contents)
    changed()
    return directory
  }

  /** Deletes the organization. Also calls `deleteDirectory` for each of its directories. */
  deleteOrganization(id: string): void {
    for (const directory of this.directoriesOf(id)) this.deleteDirectory(directory.id)
    this.#organizations.delete(id)
    this.#changeListeners.call()
  }

  /**
   * Deletes the directory with its users and groups. Does not publish an event, because Scalekit does not have an event
   * for deleted directories.
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
   * Restores groups before users, because a membership needs its group. Checks all references, because a person can
   * edit the file.
   * @throws EnvironmentError for a reference to a missing record, or a name that is taken
   */
  #restore({ organizations, directories, groups, users }: EnvironmentSnapshot): void {
    const missing = (id: string, named: string) => `${id} refers to ${named}, which does not exist`
    for (const organization of organizations) this.putOrganization(organization)
    for (const directory of directories) {
      const { id, organizationId } = directory
      found(this.#organizations.get(organizationId), missing(id, organizationId))
      this.putDirectory(directory)
    }
    const contentsOf = ({ id, directoryId }: User | Group) =>
      found(this.#contents.get(directoryId), missing(id, directoryId))
    for (const group of groups) contentsOf(group).putGroup(group)
    for (const user of users) {
      const contents = contentsOf(user)
      for (const id of user.groupIds) found(contents.group(id), missing(user.id, id))
      contents.putUser(user)
    }
  }

  get #directories(): Directory[] {
    return Array.from(this.#contents.values(), ({ directory }) => directory)
  }

  #inDirectories<Item>(kind: string, find: (contents: DirectoryContents) => Item | undefined): Item {
    const item = Array.from(this.#contents.values(), find).find((one) => one !== undefined)
    return found(item, `${kind} not found`)
  }
}

/** @param problem The error message for an undefined item */
function found<Item>(item: Item | undefined, problem: string): Item {
  if (item === undefined) throw new EnvironmentError('not-found', problem)
  return item
}
