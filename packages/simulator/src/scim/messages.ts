import type { JsonObject } from '@scalekit-scim/core/internal'
import type { Response } from 'express'
import { badRequest } from './errors.ts'

const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

const defaultCount = 100
/** The largest number of resources on a page. */
export const maxResults = 1000

export interface Page {
  /** Counted from 1. */
  startIndex: number
  count: number
}

/** RFC 7644, 3.4.2.4: a number that is too small counts as the minimum. */
export function readPage(query: Readonly<JsonObject>): Page {
  return {
    startIndex: Math.max(1, readNumber('startIndex', query.startIndex, 1)),
    count: Math.min(maxResults, Math.max(0, readNumber('count', query.count, defaultCount))),
  }
}

function readNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined || value === '') return fallback
  if (typeof value === 'string' && /^-?\d{1,9}$/.test(value)) return Number(value)
  throw badRequest('invalidValue', `${name} must be a whole number`)
}

export function listMessage(
  resources: readonly JsonObject[],
  totalResults: number,
  startIndex: number,
): JsonObject {
  return {
    schemas: [listSchema],
    totalResults,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

export function sendScim(response: Response, status: number, body: JsonObject): void {
  response.status(status).type('application/scim+json').send(JSON.stringify(body))
}
