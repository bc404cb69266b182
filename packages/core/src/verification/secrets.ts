import type { KeyObject } from 'node:crypto'
import { ConfigurationError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { advisedKeyBytes, type HeaderSource, header, parseSecret } from './signature.ts'

/** What a secret can be found by. Nothing of it is verified yet. */
export interface SecretRequest {
  method: string
  url: string
  /** The route's parameters, such as `{ env: 'staging' }` under `/hooks/:env`. */
  params: Readonly<Record<string, string | undefined>>
  /** A header by its name, in any case. */
  header(name: string): string | undefined
}

type Secrets = string | readonly string[] | null | undefined

/** Finds the secrets for a request; none means that the request cannot be verified, and is refused. */
export type SecretResolver = (request: SecretRequest) => Secrets | Promise<Secrets>

export type SecretOption = string | readonly string[] | SecretResolver

const variable = 'SCALEKIT_WEBHOOK_SECRET'
/** How many keys of a resolver's secrets are kept ready. */
const cachedKeys = 1000

/**
 * The keys for a request, out of the `secret` option.
 * @throws ConfigurationError when no secret is given, or one that is given is not usable.
 */
export function resolveSecret(
  options: { secret?: SecretOption },
  log: Logger,
): (request: SecretRequest) => readonly KeyObject[] | Promise<readonly KeyObject[]> {
  const { secret } = options
  if (typeof secret === 'function') {
    const cache = new Map<string, KeyObject>()
    return async (request) => listOf(await secret(request)).map((text) => cachedKey(cache, text))
  }

  const fromEnvironment = !Object.hasOwn(options, 'secret')
  const source = fromEnvironment ? variable : 'secret'
  const secrets = listOf(fromEnvironment ? process.env[variable] : secret)
  if (secrets.length === 0) throw missing(fromEnvironment)
  const keys = secrets.map((text) => parseSecret(text, source))
  const shortest = Math.min(...keys.map((key) => key.symmetricKeySize ?? 0))
  if (shortest < advisedKeyBytes) {
    log.warn(
      { keyBytes: shortest },
      `a signing secret has fewer than the ${advisedKeyBytes} bytes that Standard Webhooks asks for`,
    )
  }
  return () => keys
}

/** A resolver is often wrapped around the raw headers, which Node writes in lower case and others do not. */
export function secretRequest(request: {
  method: string
  url: string
  params?: Readonly<Record<string, string | undefined>> | undefined
  headers: HeaderSource
}): SecretRequest {
  return {
    method: request.method,
    url: request.url,
    params: request.params ?? {},
    header: (name) => header(request.headers, name.toLowerCase()),
  }
}

function listOf(secrets: Secrets): readonly string[] {
  if (secrets === undefined || secrets === null) return []
  return Array.isArray(secrets) ? secrets : [secrets as string]
}

function cachedKey(cache: Map<string, KeyObject>, secret: string): KeyObject {
  const known = cache.get(secret)
  if (known) return known
  const key = parseSecret(secret, 'the secret that the resolver gave')
  if (cache.size >= cachedKeys) cache.clear()
  cache.set(secret, key)
  return key
}

function missing(fromEnvironment: boolean): ConfigurationError {
  const problem = fromEnvironment
    ? `No signing secret: set ${variable}, or give \`secret\`.`
    : '`secret` is given but has no value, as when an environment variable is misspelt.'
  return new ConfigurationError(
    'ERR_SCIM_SECRET_MISSING',
    `${problem} It is on the endpoint's page in the Scalekit dashboard and begins with whsec_.`,
    'secret',
  )
}
