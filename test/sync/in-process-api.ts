import type { Clock } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import type { ApiUser, DirectoryApi, DirectoryRef } from '@scalekit-scim/core/sync'

export const directory: DirectoryRef = { organizationId: 'org_1', id: 'dir_1' }

type Calls = DirectoryApi['directory'] & DirectoryApi['organization']

/** A Directory API with the given calls. Any other call throws. */
export function apiOf(calls: Partial<Calls>): DirectoryApi {
  const unexpected = (name: string) => () => Promise.reject(new Error(`${name} was not expected`))
  return {
    organization: { listOrganization: calls.listOrganization ?? unexpected('listOrganization') },
    directory: {
      listDirectories: calls.listDirectories ?? unexpected('listDirectories'),
      listDirectoryUsers: calls.listDirectoryUsers ?? unexpected('listDirectoryUsers'),
      listDirectoryGroups: calls.listDirectoryGroups ?? unexpected('listDirectoryGroups'),
    },
  }
}

/** A user in the form of protobuf: absent fields are empty. */
export function apiUser(id: string, fields: Partial<ApiUser> = {}): ApiUser {
  return { id, email: '', preferredUsername: '', givenName: '', familyName: '', groups: [], ...fields }
}

/** Serves the users in these pages, for any requested size. The tokens are `1`, `2`, … */
export function inPages(pages: readonly (readonly ApiUser[])[]): Calls['listDirectoryUsers'] {
  const totalSize = pages.flat().length
  return async (_organizationId, _directoryId, { pageToken = '0' } = {}) => {
    const number = Number(pageToken)
    const users = pages[number] ?? []
    return { users, totalSize, nextPageToken: number + 1 < pages.length ? String(number + 1) : '' }
  }
}

/** Timers of this client do not wait, because only a real server needs pauses. */
export const hastyClock: Clock = {
  ...systemClock,
  setTimeout: (callback) => systemClock.setTimeout(callback, 0),
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
