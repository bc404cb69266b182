import type { Group, User } from './records.ts'

/** The people and groups of one directory, and who is in what. Holds and finds; decides nothing. */
export class Roster {
  readonly #users = new Listing<User>()
  readonly #groups = new Listing<Group>()
  readonly #memberIds = new Map<string, Set<string>>()
  readonly #idByUserName = new Map<string, string>()

  /** In the order of their creation, as the API lists them. Not to be kept: the next change makes another. */
  get users(): readonly User[] {
    return this.#users.all
  }

  get groups(): readonly Group[] {
    return this.#groups.all
  }

  user(id: string): User | undefined {
    return this.#users.get(id)
  }

  /** RFC 7643, 4.1.1: a userName is one person's alone, whatever its case. */
  userNamed(userName: string): User | undefined {
    const id = this.#idByUserName.get(userName.toLowerCase())
    return id === undefined ? undefined : this.#users.get(id)
  }

  group(id: string): Group | undefined {
    return this.#groups.get(id)
  }

  /** In the order in which they joined. */
  membersOf(groupId: string): User[] {
    const members: User[] = []
    for (const id of this.#memberIds.get(groupId) ?? []) {
      const user = this.#users.get(id)
      if (user) members.push(user)
    }
    return members
  }

  memberCount(groupId: string): number {
    return this.#memberIds.get(groupId)?.size ?? 0
  }

  putUser(user: User): void {
    const old = this.#users.get(user.id)
    const before = old?.groupIds ?? []
    if (old) this.#idByUserName.delete(old.attributes.userName.toLowerCase())
    this.#idByUserName.set(user.attributes.userName.toLowerCase(), user.id)
    this.#users.put(user)
    for (const id of before) if (!user.groupIds.includes(id)) this.#memberIds.get(id)?.delete(user.id)
    for (const id of user.groupIds) if (!before.includes(id)) this.#memberIds.get(id)?.add(user.id)
  }

  removeUser(user: User): void {
    this.#users.remove(user.id)
    this.#idByUserName.delete(user.attributes.userName.toLowerCase())
    for (const id of user.groupIds) this.#memberIds.get(id)?.delete(user.id)
  }

  putGroup(group: Group): void {
    this.#groups.put(group)
    if (!this.#memberIds.has(group.id)) this.#memberIds.set(group.id, new Set())
  }

  removeGroup(id: string): void {
    this.#groups.remove(id)
    this.#memberIds.delete(id)
  }
}

/** Records by id, and as an array to page through, made when one is asked for after a change. */
class Listing<Item extends { readonly id: string }> {
  readonly #byId = new Map<string, Item>()
  #all: readonly Item[] | undefined

  get all(): readonly Item[] {
    this.#all ??= [...this.#byId.values()]
    return this.#all
  }

  get(id: string): Item | undefined {
    return this.#byId.get(id)
  }

  put(item: Item): void {
    this.#byId.set(item.id, item)
    this.#all = undefined
  }

  remove(id: string): void {
    this.#byId.delete(id)
    this.#all = undefined
  }
}
