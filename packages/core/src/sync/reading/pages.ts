import { omitUndefined } from '@scalekit-scim/core/internal'
import type { ApiOrganization, DirectoryApi } from './directory-api.ts'
import type { DirectoryRef, Kind, ListAnswer } from './records.ts'
import { type Retrying, retrying } from './retrying.ts'

/** The answer to one call. */
export interface Page<Item, Observed> {
  items: readonly Item[]
  /** The number of records on all pages, as this page announces it. */
  totalSize: number
  /** The result of `observe` before this page was requested. */
  observedAt: Observed
}

/** Which records of a directory are read, and how. */
export interface ReadOptions extends Retrying {
  /** Only records that changed since this time are read. RFC 3339. */
  updatedAfter?: string | undefined
  /** Records per call, at most 30. @default 30 */
  pageSize?: number | undefined
  /**
   * Whether the API returns the attributes that the directory itself stores. Without these attributes, `active` is
   * unknown, and an empty list of groups may be incomplete.
   * @default true
   */
  includeDetail?: boolean | undefined
}

export interface PageOptions<Observed> extends ReadOptions {
  /** Called before each page is requested, and again before each retry. */
  observe: () => Observed | Promise<Observed>
}

type Pages<Item, Observed> = AsyncGenerator<Page<Item, Observed>, void, void>

const recordPageSize = 30
const organizationPageSize = 100

/** The API broke its own paging rules, so the list was not read to its end. */
export class PagingError extends Error {
  override readonly name = 'PagingError'
}

/** All pages of a directory's users or groups. */
export function recordPages<Item extends { id: string }, Observed>(
  kind: Pick<Kind<Item>, 'list'>,
  api: DirectoryApi,
  directory: DirectoryRef,
  options: PageOptions<Observed>,
): Pages<Item, Observed> {
  const { pageSize = recordPageSize, includeDetail = true, updatedAfter } = options
  return pages(
    (pageToken) =>
      kind.list(api, directory, { pageSize, includeDetail, ...omitUndefined({ pageToken, updatedAfter }) }),
    options,
  )
}

/** All pages of the environment's organizations. `totalSize` is 0, because no caller uses it. */
export function organizationPages(api: DirectoryApi, options: Retrying): Pages<ApiOrganization, undefined> {
  const ask = async (pageToken: string | undefined) => {
    const { organizations, nextPageToken } = await api.organization.listOrganization({
      pageSize: organizationPageSize,
      ...omitUndefined({ pageToken }),
    })
    return { items: organizations, nextPageToken, totalSize: 0 }
  }
  return pages(ask, { ...options, observe: () => undefined })
}

/**
 * Requests the next page while the current one is processed, so at most two pages are in memory. An empty page with a
 * token does not end the list. A repeated token is an error, because following it would never end.
 */
async function* pages<Item, Observed>(
  ask: (pageToken: string | undefined) => Promise<ListAnswer<Item>>,
  options: PageOptions<Observed>,
): Pages<Item, Observed> {
  const left = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
  const fetchPage = (pageToken?: string) => {
    const fetched = retrying(
      async () => {
        const observedAt = await options.observe()
        const { items, totalSize, nextPageToken } = await ask(pageToken)
        return { page: { items, totalSize, observedAt }, nextPageToken }
      },
      { ...options, signal },
    )
    // The request may fail before it is awaited, or after the reader has stopped. The handler prevents an unhandled
    // rejection.
    fetched.catch(() => {})
    return fetched
  }

  const seenTokens = new Set<string>()
  try {
    let ahead = fetchPage()
    for (;;) {
      const { page, nextPageToken } = await ahead
      options.signal?.throwIfAborted()
      if (nextPageToken === '') return yield page
      if (seenTokens.has(nextPageToken)) {
        yield page
        throw new PagingError('the API repeats a page token, so the list cannot be read to its end')
      }
      seenTokens.add(nextPageToken)
      ahead = fetchPage(nextPageToken)
      yield page
    }
  } finally {
    left.abort()
  }
}

/** The result of one complete walk. */
export interface WalkTally {
  /** The number of different ids. */
  unique: number
  /** The total that the pages announced. `undefined` if they announced different totals. */
  totalSize: number | undefined
  /** Whether the walk listed fewer records than its last page announced. */
  short: boolean
}

/**
 * Walks from the first page to the last.
 * @param ids collects the listed ids. Without this parameter, memory use does not grow with the directory, but missing
 *   records cannot be found.
 * @throws the errors of the pages and of `visit`
 */
export async function walk<Item extends { id: string }, Observed>(
  pages: AsyncIterable<Page<Item, Observed>>,
  ids: { add(id: string): void; readonly unique: number } | undefined,
  visit: (page: Page<Item, Observed>) => Promise<void> | void,
): Promise<WalkTally> {
  const totals = new Set<number>()
  let listed = 0
  let announced = 0
  for await (const page of pages) {
    // Two totals are enough to show that the totals differ.
    if (totals.size < 2) totals.add(page.totalSize)
    listed += page.items.length
    announced = page.totalSize
    for (const { id } of page.items) ids?.add(id)
    await visit(page)
  }
  const [totalSize] = totals
  return {
    unique: ids?.unique ?? 0,
    totalSize: totals.size === 1 ? totalSize : undefined,
    short: listed < announced,
  }
}
