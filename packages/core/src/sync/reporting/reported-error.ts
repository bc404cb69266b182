import { errorFields, omitUndefined, readSafely } from '@scalekit-scim/core/internal'
import { field, networkCodes, numberIn } from '../reading/retrying.ts'
import { SyncError } from '../sync-error.ts'
import type { ReportedError } from './report.ts'

/** The URL at which the SDK requests a token, relative to the URL of the environment. */
const tokenEndpoint = 'oauth/token'

export function reported(error: unknown): ReportedError {
  const { errorName, errorCode } = errorFields(error)
  // An error of another library can have properties that throw.
  const syncError = readSafely(() => (error instanceof SyncError ? error : credentialsRefused(error)))
  const networkCode = readSafely(() => networkCodeOf(error))
  const report: ReportedError = {
    name: syncError?.name ?? errorName,
    ...omitUndefined({ code: syncError?.code ?? errorCode ?? networkCode, hint: syncError?.message }),
  }
  return Object.defineProperty(report, 'cause', { value: error, enumerable: false })
}

/** If the credentials are wrong, the SDK throws a plain HTTP error without an explanation. */
function credentialsRefused(error: unknown): SyncError | undefined {
  const status = numberIn(field(error, 'response'), 'status')
  if (status !== 400 && status !== 401) return undefined
  if (field(field(error, 'config'), 'url') !== tokenEndpoint) return undefined
  return new SyncError(
    'ERR_SCIM_API_CREDENTIALS',
    'Scalekit refuses the API credentials. Compare SCALEKIT_CLIENT_ID and SCALEKIT_CLIENT_SECRET with those of the environment at SCALEKIT_ENVIRONMENT_URL.',
  )
}

/**
 * The code of a network error. The SDK's exceptions contain the code only in their message. Errors of other clients
 * contain the code in their cause.
 */
function networkCodeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; depth < 5 && at instanceof Error; at = at.cause, depth++) {
    const words = [field(at, 'code'), ...String(at.message).split(/\W+/)]
    const code = words.find((word) => typeof word === 'string' && networkCodes.has(word))
    if (typeof code === 'string') return code
  }
  return undefined
}
