import { Code, ConnectError } from '@connectrpc/connect'
import type { ApiFaultDraw, Occasion } from './faults.ts'

export interface PageRequest {
  pageSize: number
  pageToken: string
}

export interface Page<Item> {
  items: readonly Item[]
  totalSize: number
  nextPageToken: string
  prevPageToken: string
}

/** What the reference says a page holds when the request does not. */
export const defaultPageSize = 10

/**
 * Cuts a page out of a listing. A token is an offset within the listing of that name and no more: whoever joins or
 * leaves during a walk moves all that come after, as Scalekit promises nothing better. One of another listing is
 * refused (AIP-158), where an offset alone would give a page that passes for the right one.
 */
export function pageOf<Item>(
  all: readonly Item[],
  listing: string,
  request: PageRequest,
  faults: ApiFaultDraw,
  occasion: Occasion,
): Page<Item> {
  const size = request.pageSize || defaultPageSize
  const from = offsetIn(request.pageToken, listing)
  const until = from + size
  const strikes = (name: Parameters<ApiFaultDraw['strikes']>[0]) => faults.strikes(name, occasion)
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

/** Which page a listing's request asks for, from 1; none where the request is no listing. */
export function pageNumber(request: object): number | undefined {
  if (!('pageToken' in request && 'pageSize' in request)) return undefined
  if (typeof request.pageToken !== 'string' || typeof request.pageSize !== 'number') return undefined
  return Math.floor(offsetIn(request.pageToken) / (request.pageSize || defaultPageSize)) + 1
}

function tokenAt(offset: number, listing: string): string {
  return Buffer.from(`from ${offset} of ${listing}`).toString('base64url')
}

/** Of any listing, where none is named. */
function offsetIn(token: string, listing?: string): number {
  if (token === '') return 0
  const [, offset, named] =
    Buffer.from(token, 'base64url')
      .toString()
      .match(/^from (\d{1,9}) of (.*)$/s) ?? []
  if (offset === undefined) throw new ConnectError('page_token is not one of a page', Code.InvalidArgument)
  if (listing !== undefined && named !== listing) {
    throw new ConnectError('page_token is one of another listing', Code.InvalidArgument)
  }
  return Number(offset)
}
