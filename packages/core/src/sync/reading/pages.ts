import { type Instant, omitUndefined } from '@scalekit-scim/core/internal'
import type { DirectoryApi } from './directory-api.ts'
import type { DirectoryRef, Kind, ListAnswer } from './records.ts'
import { type Retrying, retrying } from './retrying.ts'

/** Options for reading the records of a directory. */
export interface ReadOptions extends Retrying {
  /** Reads only records that changed since this time. RFC 3339. */
  updatedAfter?: string | undefined
  /** Records per call, at most 30. @default 30 */
  pageSize?: number | undefined
  /**
   * Whether the API returns the attributes that the directory itself stores. Without these attributes, `active` is
   * unknown, and an empty list of groups can be incomplete.
   * @default true
   */
  includeDetail?: boolean | undefined
}

const recordPageSize = 30

/** The error for an API that broke its own paging rules. The sync cannot read the list to its end. */
export class PagingError extends Error {
  override readonly name = 'PagingError'
}

/**
 * Returns all pages of a directory's users or groups.
 * @param options Before each request and each retry, `observe` is called. The result of `observe` is the `observedAt`
 * of the page
 */
export function recordPages<Item extends { id: string }, Observed>(
  kind: Pick<Kind<Item>, 'list'>,
  api: DirectoryApi,
  directory: DirectoryRef,
  options: ReadOptions & { observe: () => Observed | Promise<Observed> },
): AsyncGenerator<ListAnswer<Item> & { observedAt: Observed }, void, void> {
  const { pageSize = recordPageSize, includeDetail = true, updatedAfter, observe } = options
  const ask = async (pageToken?: string) => {
    const observedAt = await observe()
    const list = { pageSize, includeDetail, ...omitUndefined({ pageToken, updatedAfter }) }
    return { ...(await kind.list(api, directory, list)), observedAt }
  }
  return pages(ask, options)
}

/**
 * Requests the next page while the caller reads the current page, so at most two pages are in memory. An empty page
 * with a token does not end the list. A repeated token is an error, because the list would never end.
 */
export async function* pages<Page extends { nextPageToken: string }>(
  ask: (pageToken?: string) => Promise<Page>,
  options: Retrying,
): AsyncGenerator<Page, void, void> {
  const left = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
  const fetchPage = (pageToken?: string) => {
    const fetched = retrying(() => ask(pageToken), { ...options, signal })
    // The request can fail before the reader awaits it, or after the reader has stopped. The handler prevents an
    // unhandled rejection.
    fetched.catch(() => {})
    return fetched
  }

  const seenTokens = new Set<string>()
  try {
    let ahead = fetchPage()
    for (;;) {
      const page = await ahead
      const { nextPageToken } = page
      options.signal?.throwIfAborted()
      if (nextPageToken === '') return yield page
      if (seenTokens.has(nextPageToken)) {
        yield page
        throw new PagingError('the API repeats a page token, so the sync cannot read the list to its end')
      }
      seenTokens.add(nextPageToken)
      ahead = fetchPage(nextPageToken)
      yield page
    }
  } finally {
    left.abort()
  }
}

/** One page of a directory's records. */
export interface Page extends ListAnswer<{ id: string }> {
  /** The store's time before the request for this page. */
  observedAt: Instant
}

/** The result of one complete walk. */
export interface WalkTally {
  /** The number of different ids. */
  unique: number
  /** The total that the pages reported. `undefined` if the pages reported different totals. */
  totalSize: number | undefined
  /** Whether the walk listed fewer records than its last page reported. */
  short: boolean
}

/**
 * Reads all pages of a directory's users, or groups. Such a reading is called a walk.
 * @param ids collects the listed ids. Without `ids`, the sync cannot find missing records, but memory use does not grow
 *   with the directory.
 * @throws the errors of the pages and of `visit`
 */
export async function walk(
  pages: AsyncIterable<Page>,
  ids: { add(id: string): void; readonly unique: number } | undefined,
  visit: (page: Page) => Promise<void> | void,
): Promise<WalkTally> {
  const totals = new Set<number>()
  let listed = 0
  let announced = 0
  for await (const page of pages) {
    // Two different totals are enough to detect a difference.
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
