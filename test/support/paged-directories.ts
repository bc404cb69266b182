import type { ApiGroup, ApiUser, DirectoryApi } from '@scalekit-scim/core/sync'

/** A user in a directory, in a short form. */
export interface Person {
  id: string
  groupIds?: readonly string[]
  /** If absent, the details do not contain the field. */
  active?: boolean
  title?: string
  updatedAtMs?: number
}

export interface Team {
  id: string
  name?: string
  updatedAtMs?: number
}

/** A customer's directory. Tests may change its contents at any time, also between two pages. */
export class TestDirectory {
  readonly id: string
  readonly organizationId: string
  enabled = true
  /** The users, in the order of the API. */
  people: Person[]
  teams: Team[] = []

  constructor(organizationId: string, people: Person[], id = `dir_of_${organizationId}`) {
    this.organizationId = organizationId
    this.people = people
    this.id = id
  }

  person(id: string): Person | undefined {
    return this.people.find((person) => person.id === id)
  }
}

export interface PageCall {
  kind: 'users' | 'groups'
  directory: TestDirectory
  offset: number
  /** The number of the page. 0 is the first requested page of this kind, over all walks. */
  number: number
  updatedAfter: string | undefined
}

interface Page {
  totalSize: number
  nextPageToken: string
  items: readonly (Person | Team)[]
}

/**
 * A Directory API in this process, with pages by offset and without a snapshot, like the real one. A hook runs before each
 * page, and may change the contents or throw. Another hook may change the answer.
 */
export class TestApi implements DirectoryApi {
  readonly directories: TestDirectory[]
  readonly calls: PageCall[] = []
  /** The largest page size, regardless of the requested size. */
  largestPage = 30
  /** The organizations without a directory. */
  bare: string[] = []
  beforePage: (call: PageCall) => void | Promise<void> = () => {}
  bend: (page: Page, call: PageCall) => Page | Promise<Page> = (page) => page
  beforeList: (organizationId: string) => void = () => {}

  constructor(...directories: TestDirectory[]) {
    this.directories = directories
  }

  readonly organization: DirectoryApi['organization'] = {
    listOrganization: async () => {
      const ids = new Set([...this.directories.map(({ organizationId }) => organizationId), ...this.bare])
      return { organizations: [...ids].map((id) => ({ id })), nextPageToken: '' }
    },
  }

  readonly directory: DirectoryApi['directory'] = {
    listDirectories: async (organizationId) => {
      this.beforeList(organizationId)
      return { directories: this.directories.filter((one) => one.organizationId === organizationId) }
    },
    listDirectoryUsers: async (_, id, options) => {
      const { items, ...page } = await this.#page('users', id, options)
      return { ...page, users: items.map((item) => apiUser(item)) }
    },
    listDirectoryGroups: async (_, id, options) => {
      const { items, ...page } = await this.#page('groups', id, options)
      return { ...page, groups: items.map((item) => apiGroup(item)) }
    },
  }

  async #page(
    kind: 'users' | 'groups',
    directoryId: string,
    options: { pageSize?: number; pageToken?: string; updatedAfter?: string } = {},
  ): Promise<Page> {
    const directory = this.directories.find(({ id }) => id === directoryId)
    if (!directory) throw new Error('no such directory')
    const { pageSize = 10, pageToken = '0', updatedAfter } = options
    const offset = Number(pageToken)
    const number = this.calls.filter((call) => call.kind === kind && call.directory === directory).length
    const call = { kind, directory, offset, number, updatedAfter }
    this.calls.push(call)
    await this.beforePage(call)
    const since = updatedAfter === undefined ? 0 : Date.parse(updatedAfter)
    const all = [...(kind === 'users' ? directory.people : directory.teams)].filter(
      ({ updatedAtMs = 0 }) => updatedAtMs >= since,
    )
    const end = offset + Math.min(pageSize, this.largestPage)
    const page = {
      items: all.slice(offset, end),
      totalSize: all.length,
      nextPageToken: end < all.length ? String(end) : '',
    }
    return this.bend(page, call)
  }
}

function apiUser({ id, groupIds = [], active, title, updatedAtMs }: Person): ApiUser {
  return {
    id,
    email: `${id}@example.com`,
    preferredUsername: '',
    givenName: '',
    familyName: '',
    groups: groupIds.map((groupId) => ({ id: groupId, displayName: groupId })),
    updatedAt: timestamp(updatedAtMs),
    userDetail: {
      ...(active === undefined ? {} : { active }),
      ...(title === undefined ? {} : { title }),
    },
  }
}

function apiGroup({ id, name = id, updatedAtMs }: Team): ApiGroup {
  return { id, displayName: name, updatedAt: timestamp(updatedAtMs) }
}

function timestamp(ms = 0) {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 }
}

/** Returns `count` users who have not changed for a long time. */
export function people(count: number, from = 0): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `diruser_${from + index}`,
    active: true,
    updatedAtMs: Date.parse('2026-01-05T09:00:00Z'),
  }))
}
