import type { Response } from 'express'
import { badRequest } from './errors.ts'
import type { Fields } from './values.ts'

const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** How many resources one page has, unless the client says otherwise, and at most. */
const usualCount = 100
export const maxResults = 1000

export interface Page {
  /** Counted from 1. */
  startIndex: number
  count: number
}

/** RFC 7644, 3.4.2.4: what is too small counts as the least that there is. */
export function readPage(query: Readonly<Fields>): Page {
  return {
    startIndex: Math.max(1, readNumber('startIndex', query.startIndex, 1)),
    count: Math.min(maxResults, Math.max(0, readNumber('count', query.count, usualCount))),
  }
}

function readNumber(name: string, value: unknown, otherwise: number): number {
  if (value === undefined || value === '') return otherwise
  if (typeof value === 'string' && /^-?\d{1,9}$/.test(value)) return Number(value)
  throw badRequest('invalidValue', `${name} must be a whole number`)
}

export function listMessage(resources: readonly Fields[], totalResults: number, startIndex: number): Fields {
  return {
    schemas: [listSchema],
    totalResults,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

export function sendScim(response: Response, status: number, body: Fields): void {
  response.status(status).type('application/scim+json').send(JSON.stringify(body))
}
