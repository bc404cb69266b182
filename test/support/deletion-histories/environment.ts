import { TestApi, TestDirectory } from '../paged-directories.ts'
import type { Chance } from './chance.ts'

export type Kind = 'user' | 'group'
export const kinds: readonly Kind[] = ['user', 'group']

/** A user or group that is, or was, in a directory. */
export interface Member {
  readonly id: string
  readonly kind: Kind
  directory: CustomerDirectory
  present: boolean
  /** The time at which the member last joined. */
  sinceMs: number
  updatedAtMs: number
  active: boolean
  /** Set if a wrong filter at the identity provider hides the member from the API. */
  hidden: boolean
  title?: string
  groupIds?: ReadonlySet<string>
}

export interface CustomerDirectory {
  readonly id: string
  readonly organizationId: string
  enabled: boolean
  removed: boolean
  /** Set if the list of directories does not contain this directory. */
  leftOut: boolean
  readonly listed: TestDirectory
}

/** The true state at Scalekit and at the customers' identity providers, and the state that the API returns. */
export class Environment {
  readonly api = new TestApi()
  readonly directories: CustomerDirectory[] = []
  readonly members = new Map<string, Member>()
  /** The order in which the API lists the members. Without it, the oldest first. */
  order: (one: Member, other: Member) => number = () => 0
  readonly #time: { readonly nowMs: number }

  constructor(time: { readonly nowMs: number }) {
    this.#time = time
  }

  get organizations(): string[] {
    return [...new Set(this.directories.map(({ organizationId }) => organizationId))]
  }

  connect(organizationId: string): CustomerDirectory {
    const id = `dir_${this.directories.length + 1}`
    const listed = new TestDirectory(organizationId, [], id)
    const directory = { id, organizationId, enabled: true, removed: false, leftOut: false, listed }
    this.directories.push(directory)
    return directory
  }

  /** Removes a directory with all its members. */
  remove(directory: CustomerDirectory): void {
    directory.removed = true
    for (const member of this.membersOf(directory)) member.present = false
    this.publish()
  }

  join(directory: CustomerDirectory, kind: Kind = 'user', sinceMs = this.#time.nowMs): Member {
    const prefix = kind === 'user' ? 'diruser_' : 'dirgroup_'
    const member: Member = {
      id: `${prefix}${this.members.size + 1}`,
      kind,
      directory,
      present: true,
      sinceMs,
      updatedAtMs: sinceMs,
      active: true,
      hidden: false,
    }
    this.members.set(member.id, member)
    return member
  }

  comeBack(member: Member, directory = member.directory): void {
    const { nowMs } = this.#time
    Object.assign(member, { directory, present: true, sinceMs: nowMs, updatedAtMs: nowMs, active: true })
  }

  membersOf(directory: CustomerDirectory, kind?: Kind): Member[] {
    return [...this.members.values()].filter(
      (member) =>
        member.present && member.directory === directory && (kind === undefined || member.kind === kind),
    )
  }

  /** Returns all present and former directories of an organization. */
  everOf(organizationId: string): CustomerDirectory[] {
    return this.directories.filter((directory) => directory.organizationId === organizationId)
  }

  /** Returns the directories that users can join. */
  open(): CustomerDirectory[] {
    return this.directories.filter(({ removed, enabled }) => !removed && enabled)
  }

  /** Returns whether a full walk lists this member. */
  shows({ present, hidden, directory }: Member): boolean {
    return present && !hidden && !directory.removed
  }

  hide(share: number, chance: Chance): void {
    for (const member of this.members.values()) member.hidden = chance.happens(share)
  }

  tellTheTruth(): void {
    for (const member of this.members.values()) member.hidden = false
    for (const directory of this.directories) directory.leftOut = false
    this.publish()
  }

  /** Updates the API's state, with the current faults. */
  publish(): void {
    const lists = this.directories.filter(({ removed, leftOut }) => !removed && !leftOut)
    this.api.directories.splice(0, Infinity, ...lists.map(({ listed }) => listed))
    this.api.bare = this.organizations
    for (const directory of lists) {
      directory.listed.enabled = directory.enabled
      directory.listed.people = []
      directory.listed.teams = []
    }
    for (const member of [...this.members.values()].sort(this.order)) {
      if (!this.shows(member)) continue
      const { id, active, updatedAtMs, kind, title, groupIds } = member
      const { people, teams } = member.directory.listed
      const more = {
        ...(title === undefined ? {} : { title }),
        ...(groupIds ? { groupIds: [...groupIds] } : {}),
      }
      if (kind === 'user') people.push({ id, active, updatedAtMs, ...more })
      else teams.push({ id, updatedAtMs })
    }
  }
}
