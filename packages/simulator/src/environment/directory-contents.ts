import { type Directory, EnvironmentError, type Group, type User } from './records.ts'

/** A directory with its users and groups, and indexes by userName and by membership. */
export class DirectoryContents {
  directory: Directory
  readonly #users = new RecordMap<User>()
  readonly #groups = new RecordMap<Group>()
  readonly #memberIds = new Map<string, Set<string>>()
  readonly #idByUserName = new Map<string, string>()

  readonly #changed: () => void

  /** @param changed The callback after each change of a user or a group */
  constructor(directory: Directory, changed: () => void) {
    this.directory = directory
    this.#changed = changed
  }

  /** The users, in the order of their creation. A change creates a new array. */
  get users(): readonly User[] {
    return this.#users.all
  }

  get groups(): readonly Group[] {
    return this.#groups.all
  }

  user(id: string): User | undefined {
    return this.#users.get(id)
  }

  /** Returns the user with this userName. Ignores case (RFC 7643, 4.1.1). */
  userNamed(userName: string): User | undefined {
    return this.#users.get(this.#idByUserName.get(userName.toLowerCase()) ?? '')
  }

  group(id: string): Group | undefined {
    return this.#groups.get(id)
  }

  /** The members in the order in which they joined. */
  membersOf(groupId: string): User[] {
    const ids = [...(this.#memberIds.get(groupId) ?? [])]
    return ids.map((id) => this.#users.get(id)).filter((user) => user !== undefined)
  }

  memberCount(groupId: string): number {
    return this.#memberIds.get(groupId)?.size ?? 0
  }

  /** @throws EnvironmentError 'conflict' if another user has the userName */
  putUser(user: User): void {
    const { userName } = user.attributes
    const namesake = this.userNamed(userName)
    if (namesake && namesake.id !== user.id) {
      throw new EnvironmentError('conflict', 'another user of the directory has this userName')
    }
    const old = this.#users.get(user.id)
    const before = old?.groupIds ?? []
    if (old) this.#idByUserName.delete(old.attributes.userName.toLowerCase())
    this.#idByUserName.set(userName.toLowerCase(), user.id)
    this.#users.set(user.id, user)
    for (const id of before) if (!user.groupIds.includes(id)) this.#memberIds.get(id)?.delete(user.id)
    for (const id of user.groupIds) if (!before.includes(id)) this.#memberIds.get(id)?.add(user.id)
    this.#changed()
  }

  removeUser(user: User): void {
    this.#users.delete(user.id)
    this.#idByUserName.delete(user.attributes.userName.toLowerCase())
    for (const id of user.groupIds) this.#memberIds.get(id)?.delete(user.id)
    this.#changed()
  }

  putGroup(group: Group): void {
    this.#groups.set(group.id, group)
    if (!this.#memberIds.has(group.id)) this.#memberIds.set(group.id, new Set())
    this.#changed()
  }

  removeGroup({ id }: Group): void {
    this.#groups.delete(id)
    this.#memberIds.delete(id)
    this.#changed()
  }
}

/** Stores records by id. After a change, the first use of `all` creates the array again. */
class RecordMap<Item> extends Map<string, Item> {
  #all: readonly Item[] | undefined

  get all(): readonly Item[] {
    this.#all ??= [...this.values()]
    return this.#all
  }

  override set(id: string, item: Item): this {
    this.#all = undefined
    return super.set(id, item)
  }

  override delete(id: string): boolean {
    this.#all = undefined
    return super.delete(id)
  }
}
