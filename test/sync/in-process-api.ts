import type { Clock } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import type { ApiUser, DirectoryApi, DirectoryRef } from '@scalekit-scim/core/sync'

export const directory: DirectoryRef = { organizationId: 'org_1', id: 'dir_1' }

type Calls = DirectoryApi['directory'] & DirectoryApi['organization']

/** A Directory API of the calls that a test gives; any other says that nobody expected it. */
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

/** A user as protobuf has them: what nobody said is empty. */
export function apiUser(id: string, said: Partial<ApiUser> = {}): ApiUser {
  return { id, email: '', preferredUsername: '', givenName: '', familyName: '', groups: [], ...said }
}

/** Serves the users in these pages, whatever size was asked for. The tokens are `1`, `2`, … */
export function inPages(pages: readonly (readonly ApiUser[])[]): Calls['listDirectoryUsers'] {
  const totalSize = pages.flat().length
  return async (_organizationId, _directoryId, { pageToken = '0' } = {}) => {
    const number = Number(pageToken)
    const users = pages[number] ?? []
    return { users, totalSize, nextPageToken: number + 1 < pages.length ? String(number + 1) : '' }
  }
}

/** No timer of it waits: pauses are for a server that the test has at hand. */
export const hastyClock: Clock = {
  ...systemClock,
  setTimeout: (callback) => systemClock.setTimeout(callback, 0),
}

export async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}
