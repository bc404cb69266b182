import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import type { Environment } from '../environment/environment.ts'
import type { Directory } from '../environment/records.ts'
import { ScimError } from './errors.ts'

/** One request, let in. */
export interface Session {
  directory: Directory
  /** Where the directory is mounted, as the client sees it. */
  baseUrl: string
}

/**
 * The directory that the request is for, once the request has shown its token and the directory takes changes.
 *
 * @throws ScimError 404, 401, 403, in that order
 */
export function authenticated(environment: Environment, request: Request, directoryId: string): Directory {
  const directory = environment.directory(directoryId)
  const [, token] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? []
  if (token === undefined || !isSame(token, directory.scimToken)) {
    throw new ScimError(401, "the bearer token must be the directory's SCIM token")
  }
  if (!directory.enabled) throw new ScimError(403, 'the directory is disabled')
  return directory
}

/** In a time that does not tell how much of it is right. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
