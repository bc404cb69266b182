import { createHash, generateKeyPair, randomUUID, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '@scalekit-scim/core'
import express, { Router } from 'express'
import type { ApiFaultDraw } from './faults.ts'

export interface TokenOptions {
  clock: Clock
  clientId: string
  clientSecret: string
  tokenSeconds: number
}

export type AccessTokens = ReturnType<typeof createAccessTokens>

/**
 * Issues access tokens, and accepts them until they expire.
 *
 * @param issuer The simulator's URL
 */
export function createAccessTokens(
  { clock, clientId, clientSecret, tokenSeconds }: TokenOptions,
  issuer: string,
) {
  const expiresAtMsOf = new Map<string, number>()
  let keys: ReturnType<typeof generateKeys> | undefined
  /** Creates the keys at the first use. Key generation is slow. A simulator without API calls does not need keys. */
  const keyPair = () => (keys ??= generateKeys())
  return {
    keyPair,
    isClient: (id: unknown, secret: unknown) => id === clientId && secret === clientSecret,
    /** Returns a new token, as the response of RFC 6749, 5.1. */
    async issue() {
      const { privateKey, jwk } = await keyPair()
      const nowMs = clock.now()
      const issuedAt = Math.floor(nowMs / 1000)
      const claims = {
        iss: issuer,
        sub: clientId,
        aud: [clientId],
        client_id: clientId,
        iat: issuedAt,
        nbf: issuedAt,
        exp: issuedAt + tokenSeconds,
        jti: randomUUID(),
      }
      const text = [{ alg: 'RS256', kid: jwk.kid, typ: 'JWT' }, claims].map(encoded).join('.')
      const token = `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`
      for (const [old, expiresAtMs] of expiresAtMsOf) if (expiresAtMs <= nowMs) expiresAtMsOf.delete(old)
      expiresAtMsOf.set(token, nowMs + tokenSeconds * 1000)
      return { access_token: token, token_type: 'Bearer', expires_in: tokenSeconds, scope: 'openid' }
    },
    /** Returns whether an `authorization` header has a valid token. */
    accepts(authorization: string | null): boolean {
      const [, token = ''] = authorization?.match(/^Bearer (.+)$/i) ?? []
      return clock.now() < (expiresAtMsOf.get(token) ?? 0)
    },
  }
}

/** `POST /oauth/token` and `GET /keys`: the SDK's requests over HTTP/1.1. */
export function tokenRoutes(tokens: AccessTokens, faults: ApiFaultDraw): Router {
  const router = Router()
  router.post('/oauth/token', express.urlencoded({ extended: false }), async (request, response) => {
    response.set('cache-control', 'no-store')
    /** Sends the error response of RFC 6749, 5.2. */
    const refuse = (status: number, error: string, description: string) =>
      response.status(status).json({ error, error_description: description })
    if (faults.strikes('tokenFailure')) {
      return refuse(503, 'temporarily_unavailable', 'injected fault: tokenFailure')
    }
    const form: Record<string, unknown> = request.body ?? {}
    if (form.grant_type !== 'client_credentials') {
      return refuse(400, 'unsupported_grant_type', 'only client_credentials is simulated')
    }
    if (!tokens.isClient(form.client_id, form.client_secret)) {
      return refuse(401, 'invalid_client', 'client_id or client_secret is wrong')
    }
    return response.json(await tokens.issue())
  })
  // RFC 7517: clients verify the tokens with the public keys.
  router.get('/keys', async (_request, response) => {
    const { jwk } = await tokens.keyPair()
    response.json({ keys: [jwk] })
  })
  return router
}

async function generateKeys() {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const jwk = publicKey.export({ format: 'jwk' })
  const kid = `snk_${createHash('sha256').update(String(jwk.n)).digest('hex').slice(0, 16)}`
  return { privateKey, jwk: { ...jwk, kid, alg: 'RS256', use: 'sig' } }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
