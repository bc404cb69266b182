import type { Directory, Environment, Group, User } from '@scalekit-scim/simulator'
import type { Random } from '../../chaos/random.ts'

export interface Size {
  organizations: number
  users: number
  groups: number
}

/** Makes the changes of three customers' administrators, who hire, move, rename and dismiss users. */
export class Administrators {
  readonly #environment: Environment
  readonly #random: Random
  readonly #size: Size
  readonly #directoryIds: string[] = []
  #names = 0

  constructor(environment: Environment, random: Random, size: Size) {
    this.#environment = environment
    this.#random = random
    this.#size = size
  }

  /** Creates the directories at the beginning. */
  settle(): void {
    const { organizations, users, groups } = this.#size
    this.#environment.silently(() => {
      for (let number = 0; number < organizations; number++) {
        const { id } = this.#environment.createOrganization({ displayName: `Customer ${number}` })
        this.#directoryIds.push(this.#environment.createDirectory(id).id)
      }
      for (let number = 0; number < groups; number++) this.#found(this.#anyDirectory().id)
      for (let number = 0; number < users; number++) this.#hire(this.#anyDirectory().id)
    })
  }

  get directories(): Directory[] {
    return this.#directoryIds.map((id) => this.#environment.directory(id))
  }

  /** Makes one change. It may cause other changes: after a group's deletion, each member gets a webhook. */
  change(): void {
    const directory = this.#anyDirectory()
    const { users, groups } = this.#environment.contents(directory.id)
    if (!directory.enabled) {
      if (this.#random.next() < 0.05) this.#environment.setDirectoryEnabled(directory.id, true)
      this.change()
      return
    }
    const user = this.#oneOf(users)
    const group = this.#oneOf(groups)
    const dice = this.#random.next()
    const { organizations } = this.#size
    if (!user || users.length < this.#size.users / organizations / 2) this.#hire(directory.id)
    else if (!group || groups.length < this.#size.groups / organizations / 2) this.#found(directory.id)
    else if (dice < 0.18) this.#hire(directory.id)
    else if (dice < 0.36) this.#environment.deleteUser(user.id)
    else if (dice < 0.998) this.#changeOne(user, group, directory.id)
    else if (dice < 0.999) this.#environment.setDirectoryEnabled(directory.id, false)
    // Removes a whole department, with more users than the sync deletes without an approval.
    else for (const { id } of users.slice(0, users.length / 10)) this.#environment.deleteUser(id)
  }

  /** Enables all directories for the final comparison. */
  enableAll(): void {
    for (const id of this.#directoryIds) this.#environment.setDirectoryEnabled(id, true)
  }

  #changeOne(user: User, group: Group, directoryId: string): void {
    const dice = this.#random.next()
    const name = ++this.#names
    if (dice < 0.25) this.#environment.updateUser(user.id, { active: !user.active })
    else if (dice < 0.4) this.#environment.updateUser(user.id, { attributes: { familyName: `Name ${name}` } })
    else if (dice < 0.5)
      this.#environment.updateUser(user.id, { attributes: { email: `mail.${name}@example.com` } })
    else if (dice < 0.75) this.#environment.addMember(group.id, user.id)
    else if (dice < 0.9) this.#leave(user)
    else if (dice < 0.95) this.#environment.updateGroup(group.id, { displayName: `Group ${name}` })
    else if (dice < 0.975) this.#found(directoryId)
    else this.#environment.deleteGroup(group.id)
  }

  #leave(user: User): void {
    const groupId = this.#oneOf(user.groupIds)
    if (groupId === undefined) this.#environment.updateUser(user.id, { active: !user.active })
    else this.#environment.removeMember(groupId, user.id)
  }

  #hire(directoryId: string): void {
    const name = ++this.#names
    const { groups } = this.#environment.contents(directoryId)
    const groupIds = groups.filter(() => this.#random.next() < 2 / groups.length).map(({ id }) => id)
    this.#environment.createUser(directoryId, {
      attributes: {
        userName: `user.${name}`,
        email: `user.${name}@example.com`,
        givenName: 'Robin',
        familyName: `Name ${name}`,
      },
      active: this.#random.next() < 0.95,
      groupIds,
    })
  }

  #found(directoryId: string): void {
    this.#environment.createGroup(directoryId, { displayName: `Group ${++this.#names}` })
  }

  #anyDirectory(): Directory {
    const id = this.#oneOf(this.#directoryIds)
    if (id === undefined) throw new Error('there is no directory')
    return this.#environment.directory(id)
  }

  #oneOf<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#random.below(items.length)]
  }
}
