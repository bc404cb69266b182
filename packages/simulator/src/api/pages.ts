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
 * Cuts a page out of a listing. A token is an offset and no more: whoever joins or leaves during a walk moves all
 * that come after, as Scalekit promises nothing better.
 */
export function pageOf<Item>(
  all: readonly Item[],
  request: PageRequest,
  faults: ApiFaultDraw,
  occasion: Occasion,
): Page<Item> {
  const size = request.pageSize || defaultPageSize
  const from = offsetIn(request.pageToken)
  const until = from + size
  const strikes = (name: Parameters<ApiFaultDraw['strikes']>[0]) => faults.strikes(name, occasion)
  const isLast = until >= all.length
  const nextOffset = strikes('repeatToken') ? from : until
  const hasNext = !isLast && !strikes('truncateWalk')
  return {
    items: strikes('emptyPage') ? [] : all.slice(from, until),
    totalSize: all.length + (strikes('wrongTotal') ? 1 : 0) + (strikes('movingTotal') ? from / size + 1 : 0),
    nextPageToken: hasNext ? tokenAt(nextOffset) : '',
    prevPageToken: from > 0 ? tokenAt(Math.max(from - size, 0)) : '',
  }
}

/** Which page a listing's request asks for, from 1; none where the request is no listing. */
export function pageNumber(request: object): number | undefined {
  if (!('pageToken' in request && 'pageSize' in request)) return undefined
  if (typeof request.pageToken !== 'string' || typeof request.pageSize !== 'number') return undefined
  return Math.floor(offsetIn(request.pageToken) / (request.pageSize || defaultPageSize)) + 1
}

function tokenAt(offset: number): string {
  return Buffer.from(`from ${offset}`).toString('base64url')
}

function offsetIn(token: string): number {
  if (token === '') return 0
  const offset = Buffer.from(token, 'base64url')
    .toString()
    .match(/^from (\d{1,9})$/)?.[1]
  if (offset === undefined) throw new ConnectError('page_token is not one of a page', Code.InvalidArgument)
  return Number(offset)
}
