import { createHash, timingSafeEqual } from 'node:crypto'
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express'
import type { Environment } from '../environment/environment.ts'
import { discoveryRoutes } from './discovery.ts'
import { ScimError, sendScim, toScimError } from './messages.ts'
import { resourceRoutes } from './resource-routes.ts'
import type { Scope } from './resources.ts'
import { Groups, Users } from './users-and-groups.ts'

/** The body limit, which allows a group with tens of thousands of members. */
const bodyLimit = '10mb'

/**
 * A SCIM 2.0 server (RFC 7643, RFC 7644) for the directories of the environment. Mount the router at
 * `/scim/v2/:directoryId`. Each change by a client publishes the event that Scalekit would send.
 *
 * @example
 * app.use('/scim/v2/:directoryId', scimRouter(environment))
 */
export function scimRouter(environment: Environment): Router {
  const router = Router({ mergeParams: true })
  router.use((request, response, next) => {
    response.locals.scope = authenticated(environment, request)
    next()
  })
  router.use(express.json({ type: ['application/scim+json', 'application/json'], limit: bodyLimit }))
  router.use(discoveryRoutes())
  router.use('/Users', resourceRoutes(Users))
  router.use('/Groups', resourceRoutes(Groups))
  router.use(['/Me', '/Bulk'], () => {
    throw new ScimError(501, 'not implemented: ServiceProviderConfig lists the supported features')
  })
  router.use(() => {
    throw new ScimError(404, 'unknown endpoint')
  })
  router.use(answerError)
  return router
}

/** Answers requests to a base URL without the id of a directory. */
export function answerNoDirectory(_request: Request, response: Response): void {
  sendScim(response, 404, new ScimError(404, 'the base URL must be /scim/v2/ and the id of a directory').body)
}

const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const scimError = toScimError(error)
  if (scimError.status >= 500 && scimError !== error) console.error(error)
  // By RFC 7644, 3.12, a 401 has the challenge of RFC 6750.
  if (scimError.status === 401) response.set('WWW-Authenticate', 'Bearer')
  sendScim(response, scimError.status, scimError.body)
}

/**
 * Authenticates a request.
 *
 * @throws EnvironmentError 'not-found'; ScimError 401 for a wrong token, 403 if the directory is disabled
 */
function authenticated(environment: Environment, request: Request): Scope {
  const { directoryId } = request.params
  if (typeof directoryId !== 'string') throw new Error('mount scimRouter at /scim/v2/:directoryId')
  const directory = environment.directory(directoryId)
  const [, token] = /^Bearer +(\S+) *$/i.exec(request.get('authorization') ?? '') ?? []
  if (token === undefined || !isSame(token, directory.scimToken)) {
    throw new ScimError(401, "the bearer token must be the directory's SCIM token")
  }
  if (!directory.enabled) throw new ScimError(403, 'the directory is disabled')
  const baseUrl = `${protocolOf(request)}://${request.get('host')}${request.baseUrl}`
  return { environment, directoryId, baseUrl }
}

/**
 * Returns the protocol for the addresses in answers. A tunnel does not change the host of the client's request, but
 * forwards the request over http. So `X-Forwarded-Proto` has priority.
 */
function protocolOf(request: Request): string {
  const [forwarded = ''] = (request.get('x-forwarded-proto') ?? '').split(',')
  const protocol = forwarded.trim().toLowerCase()
  return protocol === 'https' || protocol === 'http' ? protocol : request.protocol
}

/** Compares two tokens in constant time. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
