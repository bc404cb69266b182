import { setTimeout as wait } from 'node:timers/promises'
import { createValidator } from '@bufbuild/protovalidate'
import { Code, ConnectError, type Interceptor } from '@connectrpc/connect'
import { lineKey, occasionKey } from './context.ts'
import { asConnectError, invalidArgument } from './errors.ts'
import type { ApiFaultDraw, ApiFaultName } from './faults.ts'
import { pageNumber } from './pages.ts'
import type { RateLimit } from './rate-limit.ts'
import type { AccessTokens } from './tokens.ts'

/** An expired token is answered as a wrong one is: the SDK then fetches a new one by itself. */
export function authenticated(tokens: AccessTokens): Interceptor {
  return (next) => (request) => {
    if (tokens.accepts(request.header.get('authorization'))) return next(request)
    throw new ConnectError('the access token is missing, unknown or expired', Code.Unauthenticated)
  }
}

export function limited(limit: RateLimit): Interceptor {
  return (next) => (request) => {
    if (limit.take()) return next(request)
    throw new ConnectError('too many requests in this minute', Code.ResourceExhausted)
  }
}

const failures = [
  ['unavailable', Code.Unavailable],
  ['resourceExhausted', Code.ResourceExhausted],
  ['internal', Code.Internal],
  ['deadlineExceeded', Code.DeadlineExceeded],
  ['canceled', Code.Canceled],
] as const satisfies readonly (readonly [ApiFaultName, Code])[]

export function faulty(faults: ApiFaultDraw): Interceptor {
  return (next) => async (request) => {
    const page = request.stream ? undefined : pageNumber(request.message)
    const occasion = {
      method: request.method.localName,
      call: faults.nextCall(),
      ...(page === undefined ? {} : { page }),
    }
    request.contextValues.set(occasionKey, occasion)
    const line = request.contextValues.get(lineKey)
    const { latencyMs = 0 } = faults.faults
    if (latencyMs > 0 && faults.strikes('slow', occasion)) {
      await wait(latencyMs, undefined, { signal: request.signal })
    }
    if (faults.strikes('resetConnection', occasion)) {
      line.reset()
      throw new ConnectError('reset on demand', Code.Aborted)
    }
    for (const [name, code] of failures) {
      if (faults.strikes(name, occasion)) throw new ConnectError(`${name} on demand`, code)
    }
    const response = await next(request)
    if (faults.strikes('cutCall', occasion)) {
      line.cut()
      throw new ConnectError('cut on demand', Code.Aborted)
    }
    return response
  }
}

/** The rules that Scalekit wrote into its descriptors. */
export function validated(): Interceptor {
  const validator = createValidator()
  return (next) => (request) => {
    if (request.stream) return next(request)
    const result = validator.validate(request.method.input, request.message)
    if (result.kind === 'error') throw result.error
    if (result.kind === 'invalid') throw invalidArgument(result.violations)
    return next(request)
  }
}

export const environmentErrors: Interceptor = (next) => async (request) => {
  try {
    return await next(request)
  } catch (error) {
    throw asConnectError(error)
  }
}
