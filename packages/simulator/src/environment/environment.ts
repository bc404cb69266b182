import { Chronicle, type ChronicleOptions, type EventListener } from './chronicle.ts'
import { Customers } from './customers.ts'
import { Groups } from './groups.ts'
import { Holdings } from './holdings.ts'
import { People } from './people.ts'
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
import type { Roster } from './roster.ts'
import type { EnvironmentSnapshot } from './snapshot.ts'

export type { EventListener } from './chronicle.ts'
export type * from './requests.ts'

export interface EnvironmentOptions extends Omit<ChronicleOptions, 'from' | 'isTaken'> {
  /** What there is at the start. @default nothing */
  from?: EnvironmentSnapshot
}

/**
 * One Scalekit environment: customers, their directories, and the people and groups in them. Each change that leaves
 * something different tells its listeners the event that Scalekit would send; one that changes nothing tells none.
 */
export class Environment {
  readonly #holdings = new Holdings()
  readonly #chronicle: Chronicle
  readonly #customers: Customers
  readonly #people: People
  readonly #groups: Groups

  constructor(options: EnvironmentOptions) {
    const holdings = this.#holdings
    this.#chronicle = new Chronicle({ ...options, isTaken: (id) => holdings.isTaken(id) })
    this.#customers = new Customers(holdings, this.#chronicle, options.randomness)
    this.#people = new People(holdings, this.#chronicle)
    this.#groups = new Groups(holdings, this.#chronicle, this.#people)
    if (options.from) holdings.restore(options.from)
  }

  get id(): string {
    return this.#chronicle.environmentId
  }

  /**
   * Calls the listener at each event, in order, before the change returns; gives what stops that. What it throws is
   * uncaught.
   */
  onEvent(listener: EventListener): () => void {
    return this.#chronicle.onEvent(listener)
  }

  /**
   * Calls the listener after each change, also of those of which no event tells; gives what stops that. What it throws
   * is uncaught.
   */
  onChange(listener: () => void): () => void {
    return this.#holdings.onChange(listener)
  }

  /** All that there is, for `from` in another process. */
  export(): EnvironmentSnapshot {
    return { ...this.#chronicle.export(), ...this.#holdings.export() }
  }

  /** Makes changes of which no event tells: what was there before anybody listened. */
  silently<Result>(work: () => Result): Result {
    return this.#chronicle.silently(work)
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
    return this.#holdings.groupsOf(user)
  }

  // ── Customers and their directories ──

  /** @throws EnvironmentError 'conflict' when another customer has that external id */
  createOrganization(organization: NewOrganization): Organization {
    return this.#customers.createOrganization(organization)
  }

  updateOrganization(id: string, patch: OrganizationPatch): Organization {
    return this.#customers.updateOrganization(id, patch)
  }

  /** Takes its directories with it, as `deleteDirectory` does. */
  deleteOrganization(id: string): void {
    this.#holdings.removeOrganization(id)
  }

  createDirectory(organizationId: string, options: NewDirectory = {}): Directory {
    return this.#customers.createDirectory(organizationId, options)
  }

  setDirectoryEnabled(id: string, enabled: boolean): Directory {
    return this.#customers.setDirectoryEnabled(id, enabled)
  }

  /** Takes its people and groups with it. Scalekit has no event for that: the application finds out by itself. */
  deleteDirectory(id: string): void {
    this.#holdings.removeDirectory(id)
  }

  // ── People: a directory that is disabled hears nothing from its provider, and is an EnvironmentError ──

  /** @throws EnvironmentError 'conflict' when the directory has somebody of that userName */
  createUser(directoryId: string, user: NewUser): User {
    return this.#people.create(directoryId, user)
  }

  updateUser(id: string, patch: UserPatch): User {
    return this.#people.update(id, patch)
  }

  deleteUser(id: string): void {
    this.#people.delete(id)
  }

  // ── Groups: who is in one is told by its members' events alone ──

  createGroup(directoryId: string, group: NewGroup): Group {
    return this.#groups.create(directoryId, group)
  }

  /** A new name is told by the group's event, not by one of each member. */
  updateGroup(id: string, patch: GroupPatch): Group {
    return this.#groups.update(id, patch)
  }

  /** Its members are told of it one by one, after the group itself. */
  deleteGroup(id: string): void {
    this.#groups.delete(id)
  }

  addMember(groupId: string, userId: string): User {
    return this.#people.join(groupId, userId)
  }

  removeMember(groupId: string, userId: string): User {
    return this.#people.leave(groupId, userId)
  }
}
