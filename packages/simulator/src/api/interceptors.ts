import { setTimeout as wait } from 'node:timers/promises'
import { createValidator } from '@bufbuild/protovalidate'
import { Code, ConnectError, type Interceptor } from '@connectrpc/connect'
import type { Clock } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { callKey, connectionKey } from './context.ts'
import { asConnectError, invalidArgument } from './errors.ts'
import type { ApiFaultDraw, ApiFaultName } from './faults.ts'
import { pageNumber } from './pages.ts'
import type { AccessTokens } from './tokens.ts'

/** An expired token is refused like a wrong one. The SDK then requests a new token itself. */
export function authenticated(tokens: AccessTokens): Interceptor {
  return (next) => (request) => {
    if (tokens.accepts(request.header.get('authorization'))) return next(request)
    throw new ConnectError('the access token is missing, unknown or expired', Code.Unauthenticated)
  }
}

const windowMs = 60_000

/** Counts calls in windows of one minute, as Scalekit's documentation describes. */
export function limited(clock: Clock, requestsPerMinute = Number.POSITIVE_INFINITY): Interceptor {
  let windowEndsAtMs = 0
  let count = 0
  return (next) => (request) => {
    const nowMs = clock.monotonic()
    if (nowMs >= windowEndsAtMs) {
      windowEndsAtMs = nowMs + windowMs
      count = 0
    }
    count++
    if (count <= requestsPerMinute) return next(request)
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
    const method = request.method.localName
    const call = { method, call: faults.nextCall(), ...omitUndefined({ page }) }
    request.contextValues.set(callKey, call)
    const connection = request.contextValues.get(connectionKey)
    const { latencyMs = 0 } = faults.faults
    if (latencyMs > 0 && faults.strikes('slow', call)) {
      await wait(latencyMs, undefined, { signal: request.signal })
    }
    if (faults.strikes('resetConnection', call)) {
      connection.reset()
      throw new ConnectError('injected fault: resetConnection', Code.Aborted)
    }
    for (const [name, code] of failures) {
      if (faults.strikes(name, call)) throw new ConnectError(`injected fault: ${name}`, code)
    }
    const response = await next(request)
    if (faults.strikes('cutCall', call)) {
      connection.cut()
      throw new ConnectError('injected fault: cutCall', Code.Aborted)
    }
    return response
  }
}

/** Checks the validation rules in Scalekit's descriptors. */
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
