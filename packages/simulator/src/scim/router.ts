import express, { type NextFunction, type Request, type Response, Router } from 'express'
import type { Environment } from '../environment/environment.ts'
import { discoveryRoutes } from './discovery.ts'
import { ScimError, toScimError } from './errors.ts'
import { Groups } from './groups.ts'
import { sendScim } from './messages.ts'
import { resourceRoutes } from './resource-routes.ts'
import { openSession, type Session } from './session.ts'
import { Users } from './users.ts'

/** Enough for a group with tens of thousands of members. */
const bodyLimit = '10mb'

/**
 * A SCIM 2.0 server (RFC 7643, RFC 7644) for the directories of the environment. Mount it at `/scim/v2/:directoryId`.
 * The changes of a client publish the events that Scalekit would send.
 *
 * @example
 * app.use('/scim/v2/:directoryId', scimRouter(environment))
 */
export function scimRouter(environment: Environment): Router {
  const sessions = new WeakMap<Response, Session>()
  const sessionOf = (response: Response): Session => {
    const session = sessions.get(response)
    if (!session) throw new Error('the request has no session: authentication must run before every route')
    return session
  }
  const users = resourceRoutes((response) => new Users(environment, sessionOf(response)))
  const groups = resourceRoutes((response) => new Groups(environment, sessionOf(response)))

  const router = Router({ mergeParams: true })
  router.use((request, response, next) => {
    sessions.set(response, openSession(environment, request))
    next()
  })
  router.use(express.json({ type: ['application/scim+json', 'application/json'], limit: bodyLimit }))
  router.use(discoveryRoutes((response) => sessionOf(response).baseUrl))
  router.use('/Users', users)
  router.use('/Groups', groups)
  router.use(['/Me', '/Bulk'], () => {
    throw new ScimError(501, 'not implemented: see ServiceProviderConfig')
  })
  router.use(() => {
    throw new ScimError(404, 'no such endpoint')
  })
  router.use(answerError)
  return router
}

/** Answers requests to a base URL without the id of a directory. */
export function answerNoDirectory(_request: Request, response: Response): void {
  sendScim(response, 404, new ScimError(404, 'the base URL must be /scim/v2/ and the id of a directory').body)
}

function answerError(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (response.headersSent) {
    next(error)
    return
  }
  const scimError = toScimError(error)
  if (scimError.status >= 500 && scimError !== error) console.error(error)
  // RFC 7644, 3.12 requires the challenge of RFC 6750 with a 401.
  if (scimError.status === 401) response.set('WWW-Authenticate', 'Bearer')
  sendScim(response, scimError.status, scimError.body)
}
