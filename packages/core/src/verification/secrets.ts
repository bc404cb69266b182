import type { KeyObject } from 'node:crypto'
import { ConfigurationError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { advisedKeyBytes, parseSecret } from './signature.ts'

/** The parts of a request that a secret resolver can use. The receiver has not verified these parts. */
export interface SecretRequest {
  method: string
  url: string
  /** The route's parameters, such as `{ env: 'staging' }` for `/hooks/:env`. */
  params: Readonly<Record<string, string | undefined>>
  /** Returns a header. The name is case-insensitive. */
  header(name: string): string | undefined
}

type Secrets = string | readonly string[] | null | undefined

/**
 * Returns the secrets for a request. No secret: 400. A resolver that throws, or an invalid secret: 503.
 */
export type SecretResolver = (request: SecretRequest) => Secrets | Promise<Secrets>

/** Returns the keys that can verify a request. */
export type SecretKeys = (request: SecretRequest) => readonly KeyObject[] | Promise<readonly KeyObject[]>

export type SecretOption = string | readonly string[] | SecretResolver

const variable = 'SCALEKIT_WEBHOOK_SECRET'
/** The maximum number of cached keys for a resolver's secrets. */
const cachedKeys = 1000

/**
 * Reads the `secret` option.
 * @throws ConfigurationError if no secret is set, or a secret is invalid
 */
export function resolveSecret(options: { secret?: SecretOption }, log: Logger): SecretKeys {
  const { secret } = options
  if (typeof secret === 'function') {
    const cache = new Map<string, KeyObject>()
    return async (request) => listOf(await secret(request)).map((text) => cachedKey(cache, text))
  }

  const fromEnvironment = !Object.hasOwn(options, 'secret')
  const source = fromEnvironment ? variable : 'secret'
  const secrets = listOf(fromEnvironment ? process.env[variable] : secret)
  if (secrets.length === 0) throw missing(fromEnvironment, secret)
  const keys = secrets.map((text) => parseSecret(text, source))
  const shortest = Math.min(...keys.map((key) => key.symmetricKeySize ?? 0))
  if (shortest < advisedKeyBytes) {
    log.warn(
      { keyBytes: shortest },
      `a signing secret has fewer than the ${advisedKeyBytes} bytes that Standard Webhooks recommends`,
    )
  }
  return () => keys
}

function listOf(secrets: Secrets): readonly string[] {
  if (secrets === undefined || secrets === null) return []
  return Array.isArray(secrets) ? secrets : [secrets as string]
}

function cachedKey(cache: Map<string, KeyObject>, secret: string): KeyObject {
  const cached = cache.get(secret)
  if (cached) return cached
  const key = parseSecret(secret, 'the secret that the resolver returned')
  if (cache.size >= cachedKeys) cache.clear()
  cache.set(secret, key)
  return key
}

function missing(fromEnvironment: boolean, given: Secrets): ConfigurationError {
  const problem = fromEnvironment
    ? `No signing secret: set ${variable}, or pass \`secret\`.`
    : `\`secret\` is present but ${Array.isArray(given) ? 'an empty list' : given}. Check the name of the environment variable.`
  return new ConfigurationError(
    'ERR_SCIM_SECRET_MISSING',
    `${problem} The secret is on the endpoint's page in the Scalekit dashboard and begins with whsec_.`,
    'secret',
  )
}
