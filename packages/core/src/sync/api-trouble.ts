import { field, networkCodes, numberIn } from './retrying.ts'
import { SyncError } from './sync-error.ts'

/** As the SDK names it, below the environment's URL. */
const tokenEndpoint = 'oauth/token'

/** Wrong credentials arrive as the bare error of a bad request, which says no more than that: here is what it means. */
export function credentialsRefused(error: unknown): SyncError | undefined {
  const status = numberIn(field(error, 'response'), 'status')
  if (status !== 400 && status !== 401) return undefined
  if (field(field(error, 'config'), 'url') !== tokenEndpoint) return undefined
  return new SyncError(
    'ERR_SCIM_API_CREDENTIALS',
    'Scalekit gives no token for these API credentials: compare SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET with those of the environment at SCALEKIT_ENVIRONMENT_URL.',
  )
}

/**
 * Why the API could not be reached, as the network said it. The SDK's exceptions keep it in their message alone, other
 * clients in what caused their error.
 */
export function networkCodeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; depth < 5 && at instanceof Error; at = at.cause, depth++) {
    const words = [field(at, 'code'), ...String(at.message).split(/\W+/)]
    const code = words.find((word) => typeof word === 'string' && networkCodes.has(word))
    if (typeof code === 'string') return code
  }
  return undefined
}
