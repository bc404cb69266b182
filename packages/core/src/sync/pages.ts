import type { ApiGroup, ApiOrganization, ApiUser, DirectoryApi, ListOptions } from './directory-api.ts'
import type { DirectoryRef } from './records.ts'
import { type Retrying, retrying } from './retrying.ts'

/** What one call brought. */
export interface Page<Item, Observed> {
  items: readonly Item[]
  /** How many there are in all, as this page says. */
  totalSize: number
  /** What `observe` gave before this page was asked for. */
  observedAt: Observed
}

export interface PageOptions<Observed> extends Retrying {
  /** At most 30 for users and groups, 100 for organizations. @default 30 */
  pageSize?: number | undefined
  /** RFC 3339: only what changed since. */
  updatedAfter?: string | undefined
  /** Whether records bring what the directory itself says of them. @default true */
  includeDetail?: boolean | undefined
  /** Called before each page is asked for, and before each further try. */
  observe: () => Observed | Promise<Observed>
}

export const defaultPageSize = 30

/** The API broke its own rules of paging: what was read so far is not all there is. */
export class PagingError extends Error {
  override readonly name = 'PagingError'
}

export function userPages<Observed>(
  api: DirectoryApi,
  directory: DirectoryRef,
  options: PageOptions<Observed>,
): AsyncGenerator<Page<ApiUser, Observed>, void, void> {
  return pages(async (pageToken) => {
    const list = listOptions(options, pageToken)
    const answer = await api.directory.listDirectoryUsers(directory.organizationId, directory.id, list)
    return { ...answer, items: answer.users }
  }, options)
}

export function groupPages<Observed>(
  api: DirectoryApi,
  directory: DirectoryRef,
  options: PageOptions<Observed>,
): AsyncGenerator<Page<ApiGroup, Observed>, void, void> {
  return pages(async (pageToken) => {
    const list = listOptions(options, pageToken)
    const answer = await api.directory.listDirectoryGroups(directory.organizationId, directory.id, list)
    return { ...answer, items: answer.groups }
  }, options)
}

/** The API gives no total of organizations that anything is held to: it is 0 here. */
export function organizationPages<Observed>(
  api: DirectoryApi,
  options: PageOptions<Observed>,
): AsyncGenerator<Page<ApiOrganization, Observed>, void, void> {
  const pageSize = options.pageSize ?? 100
  return pages(async (pageToken) => {
    const answer = await api.organization.listOrganization({
      pageSize,
      ...(pageToken === '' ? {} : { pageToken }),
    })
    return { ...answer, items: answer.organizations, totalSize: 0 }
  }, options)
}

function listOptions(options: PageOptions<unknown>, pageToken: string): ListOptions {
  const { pageSize = defaultPageSize, updatedAfter, includeDetail = true } = options
  return {
    pageSize,
    includeDetail,
    ...(pageToken === '' ? {} : { pageToken }),
    ...(updatedAfter === undefined ? {} : { updatedAfter }),
  }
}

interface Answer<Item> {
  items: readonly Item[]
  totalSize: number
  nextPageToken: string
}

/**
 * The pages that follow each other from the first, each asked for while the one before is looked at: two are held
 * at most. An empty page with a token goes on. A token that came before would go round for ever: an error.
 */
export async function* pages<Item, Observed>(
  ask: (pageToken: string) => Promise<Answer<Item>>,
  options: PageOptions<Observed>,
): AsyncGenerator<Page<Item, Observed>, void, void> {
  const left = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
  const fetchPage = (pageToken: string) => {
    const fetched = retrying(
      async () => {
        const observedAt = await options.observe()
        const { items, totalSize, nextPageToken } = await ask(pageToken)
        return { page: { items, totalSize, observedAt }, nextPageToken }
      },
      { ...options, signal },
    )
    // It may fail while nobody waits for it yet, or after the reader has left.
    fetched.catch(() => {})
    return fetched
  }

  const seenTokens = new Set([''])
  try {
    let ahead = fetchPage('')
    for (;;) {
      const { page, nextPageToken } = await ahead
      options.signal?.throwIfAborted()
      if (nextPageToken === '') return yield page
      if (seenTokens.has(nextPageToken)) {
        yield page
        throw new PagingError('the API repeats a page token: the list cannot be read to its end')
      }
      seenTokens.add(nextPageToken)
      ahead = fetchPage(nextPageToken)
      yield page
    }
  } finally {
    left.abort()
  }
}
