import express, { type Response, Router } from 'express'
import type { ApiFaultDraw } from './faults.ts'
import type { AccessTokens } from './tokens.ts'

/** `POST /oauth/token` and `GET /keys`: the SDK's requests over HTTP/1.1. */
export function tokenRoutes(tokens: AccessTokens, faults: ApiFaultDraw): Router {
  const router = Router()
  router.post('/oauth/token', express.urlencoded({ extended: false }), async (request, response) => {
    if (faults.strikes('tokenFailure')) {
      return refuse(response, 503, 'temporarily_unavailable', 'injected fault: tokenFailure')
    }
    const form: Record<string, unknown> = request.body ?? {}
    if (form.grant_type !== 'client_credentials') {
      return refuse(response, 400, 'unsupported_grant_type', 'only client_credentials is simulated')
    }
    if (!tokens.isClient(form.client_id, form.client_secret)) {
      return refuse(response, 401, 'invalid_client', 'client_id or client_secret is wrong')
    }
    return response.set('cache-control', 'no-store').json(await tokens.issue())
  })
  router.get('/keys', async (_request, response) => {
    response.json(await tokens.jwks())
  })
  return router
}

/** RFC 6749, 5.2. */
function refuse(response: Response, status: number, error: string, description: string): Response {
  return response
    .status(status)
    .set('cache-control', 'no-store')
    .json({ error, error_description: description })
}
