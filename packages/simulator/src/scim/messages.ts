import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import type { Response } from 'express'
import { EnvironmentError, type EnvironmentErrorReason } from '../environment/records.ts'

/** The error types of RFC 7644, 3.12, table 9. */
export type ScimType =
  | 'invalidFilter'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'

const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error'

export class ScimError extends Error {
  override readonly name = 'ScimError'
  readonly status: number
  readonly scimType: ScimType | undefined

  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail)
    this.status = status
    this.scimType = scimType
  }

  /** The body of the answer. By RFC 7644, 3.12, the status is a string. */
  get body() {
    return {
      schemas: [errorSchema],
      status: String(this.status),
      ...omitUndefined({ scimType: this.scimType }),
      detail: this.message,
    }
  }
}

export function badRequest(scimType: ScimType, detail: string): ScimError {
  return new ScimError(400, detail, scimType)
}

const byReason: Readonly<Record<EnvironmentErrorReason, readonly [status: number, scimType?: ScimType]>> = {
  'not-found': [404],
  invalid: [400, 'invalidValue'],
  conflict: [409, 'uniqueness'],
  'directory-disabled': [403],
}

export function toScimError(error: unknown): ScimError {
  if (error instanceof ScimError) return error
  if (error instanceof EnvironmentError) {
    const [status, scimType] = byReason[error.reason]
    return new ScimError(status, error.message, scimType)
  }
  // Errors of Express's body parser have a status.
  const status = isJsonObject(error) ? Number(error.status) : 500
  if (status === 413) return new ScimError(413, 'the body is too large')
  if (status < 500) return badRequest('invalidSyntax', 'the body must be JSON')
  return new ScimError(500, "the simulator failed. The simulator's standard error contains the cause")
}

// ── Lists (RFC 7644, 3.4.2) ──

const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

const defaultCount = 100
/** The largest number of resources on a page. */
export const maxResults = 1000

/** Reads `startIndex`, which starts at 1, and `count`. A smaller number becomes the minimum (RFC 7644, 3.4.2.4). */
export function readPage(query: Readonly<JsonObject>) {
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
