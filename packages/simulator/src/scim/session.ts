import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import type { Environment } from '../environment/environment.ts'
import type { Directory } from '../environment/records.ts'
import { ScimError } from './errors.ts'

/** The directory of an authenticated request. */
export interface Session {
  directory: Directory
  /** The address of the directory's endpoint, as the client sees it. */
  baseUrl: string
}

/**
 * Authenticates a request.
 *
 * @throws EnvironmentError 'not-found'; ScimError 401 for a wrong token, 403 if the directory is disabled
 */
export function openSession(environment: Environment, request: Request): Session {
  const { directoryId } = request.params
  if (typeof directoryId !== 'string') throw new Error('mount scimRouter at /scim/v2/:directoryId')
  const directory = environment.directory(directoryId)
  const [, token] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? []
  if (token === undefined || !isSame(token, directory.scimToken)) {
    throw new ScimError(401, "the bearer token must be the directory's SCIM token")
  }
  if (!directory.enabled) throw new ScimError(403, 'the directory is disabled')
  return { directory, baseUrl: `${protocolOf(request)}://${request.get('host')}${request.baseUrl}` }
}

/**
 * Returns the protocol that the client used, for the addresses in answers. A tunnel keeps the host of the client's
 * request, but sends plain http. So `X-Forwarded-Proto` has priority.
 */
function protocolOf(request: Request): string {
  const [forwarded = ''] = (request.get('x-forwarded-proto') ?? '').split(',')
  const protocol = forwarded.trim().toLowerCase()
  return protocol === 'https' || protocol === 'http' ? protocol : request.protocol
}

/** Compares in constant time. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
