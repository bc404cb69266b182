import express, { type NextFunction, type Request, type Response, Router } from 'express'
import type { Environment } from '../environment/environment.ts'
import { authenticated, type Session } from './authentication.ts'
import { discoveryRoutes } from './discovery.ts'
import { ScimError, toScimError } from './errors.ts'
import { Groups } from './groups.ts'
import { sendScim } from './messages.ts'
import { resourceRoutes } from './resource-routes.ts'
import { Users } from './users.ts'

/** Room for a group's members by the ten thousand. */
const bodyLimit = '10mb'

/**
 * A SCIM 2.0 server (RFC 7643, RFC 7644) over the environment's directories: to be mounted at
 * `/scim/v2/:directoryId`. What a client changes, the environment tells as the events that Scalekit would send.
 *
 * @example
 * app.use('/scim/v2/:directoryId', scimRouter(environment))
 */
export function scimRouter(environment: Environment): Router {
  const sessions = new WeakMap<Response, Session>()
  const sessionOf = (response: Response): Session => {
    const session = sessions.get(response)
    if (!session) throw new Error('no session: the authentication comes before every route')
    return session
  }

  const router = Router({ mergeParams: true })
  router.use((request, response, next) => {
    const { directoryId } = request.params
    if (typeof directoryId !== 'string')
      throw new Error('scimRouter is to be mounted at /scim/v2/:directoryId')
    const directory = authenticated(environment, request, directoryId)
    const baseUrl = `${protocolOf(request)}://${request.get('host')}${request.baseUrl}`
    sessions.set(response, { directory, baseUrl })
    next()
  })
  router.use(express.json({ type: ['application/scim+json', 'application/json'], limit: bodyLimit }))
  router.use(discoveryRoutes((response) => sessionOf(response).baseUrl))
  router.use(
    '/Users',
    resourceRoutes((response) => new Users(environment, sessionOf(response))),
  )
  router.use(
    '/Groups',
    resourceRoutes((response) => new Groups(environment, sessionOf(response))),
  )
  router.use(['/Me', '/Bulk'], () => {
    throw new ScimError(501, 'not implemented: see ServiceProviderConfig')
  })
  router.use(() => {
    throw new ScimError(404, 'no such endpoint')
  })
  router.use(answerError)
  return router
}

/** A tunnel passes the host on as the client sees it, and speaks http to us. The header is used for addresses in answers only. */
function protocolOf(request: Request): string {
  const [forwarded = ''] = (request.get('x-forwarded-proto') ?? '').split(',')
  const protocol = forwarded.trim().toLowerCase()
  return protocol === 'https' || protocol === 'http' ? protocol : request.protocol
}

/** What a client is told whose base URL has no directory, or something else in its place. */
export function answerNoDirectory(_request: Request, response: Response): void {
  sendScim(response, 404, new ScimError(404, 'the base URL is /scim/v2/ and the id of a directory').body)
}

function answerError(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) {
    next(error)
    return
  }
  const scimError = toScimError(error)
  if (scimError.status >= 500 && scimError !== error) console.error(error)
  // RFC 7644, 3.12 wants the challenge of RFC 6750 with a 401.
  if (scimError.status === 401) response.set('WWW-Authenticate', 'Bearer')
  sendScim(response, scimError.status, scimError.body)
}
