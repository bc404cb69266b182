import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect'
import { z } from 'zod'
import { strikesKey } from './faults.ts'

const pageRequest = z.object({ pageSize: z.number(), pageToken: z.string() })
export type PageRequest = z.infer<typeof pageRequest>
export type Page<Item> = ReturnType<typeof pageOf<Item>>

/** The default in the API reference. */
const defaultPageSize = 10

/**
 * Returns a page of a listing. The token of a page contains an offset and the name of the listing. If an item is added
 * or removed between two pages, all later items move. Scalekit does not promise stable pages either.
 *
 * Refuses a token of another listing (AIP-158). With the offset of another listing, the client would get a wrong page.
 */
export function pageOf<Item>(
  all: readonly Item[],
  listing: string,
  request: PageRequest,
  { values }: HandlerContext,
) {
  const size = request.pageSize || defaultPageSize
  const from = offsetIn(request.pageToken, listing)
  const until = from + size
  const strikes = values.get(strikesKey)
  const isLast = until >= all.length
  const nextOffset = strikes('repeatToken') ? from : until
  const hasNext = !isLast && !strikes('truncateWalk')
  return {
    items: strikes('emptyPage') ? [] : all.slice(from, until),
    totalSize: all.length + (strikes('wrongTotal') ? 1 : 0) + (strikes('movingTotal') ? from / size + 1 : 0),
    nextPageToken: hasNext ? tokenAt(nextOffset, listing) : '',
    prevPageToken: from > 0 ? tokenAt(Math.max(from - size, 0), listing) : '',
  }
}

/**
 * Returns the number of the requested page. The first page is 1. If the request is not for a listing, returns
 * `undefined`.
 */
export function pageNumber(request: object): number | undefined {
  const { data } = pageRequest.safeParse(request)
  return data && Math.floor(offsetIn(data.pageToken) / (data.pageSize || defaultPageSize)) + 1
}

function tokenAt(offset: number, listing: string): string {
  return Buffer.from(`from ${offset} of ${listing}`).toString('base64url')
}

/** Returns the offset in a token. Without `listing`, accepts a token of any listing. */
function offsetIn(token: string, listing?: string): number {
  if (token === '') return 0
  const [, offset, tokenListing] =
    Buffer.from(token, 'base64url')
      .toString()
      .match(/^from (\d{1,9}) of (.*)$/s) ?? []
  if (offset === undefined) throw new ConnectError('page_token is invalid', Code.InvalidArgument)
  if (listing !== undefined && tokenListing !== listing) {
    throw new ConnectError('page_token belongs to another listing', Code.InvalidArgument)
  }
  return Number(offset)
}
