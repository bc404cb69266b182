import type { IncomingMessage } from 'node:http'
import { constants, type Http2ServerRequest } from 'node:http2'
import { setTimeout as wait } from 'node:timers/promises'
import { create } from '@bufbuild/protobuf'
import { createValidator, type Violation } from '@bufbuild/protovalidate'
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextKey,
  createContextValues,
  type Interceptor,
} from '@connectrpc/connect'
import type { Clock } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { ErrorInfoSchema } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/errdetails/errdetails_pb.js'
import { EnvironmentError, type EnvironmentErrorReason } from '../environment/records.ts'
import { type ApiFaultDraw, type ApiFaultName, strikesKey } from './faults.ts'
import { pageNumber } from './pages.ts'
import type { AccessTokens } from './tokens.ts'

/** The checks and the faults of each call, in the order in which they apply. */
export function interceptors(
  tokens: AccessTokens,
  faults: ApiFaultDraw,
  clock: Clock,
  requestsPerMinute?: number,
): Interceptor[] {
  const limit = limited(clock, requestsPerMinute)
  return [authenticated(tokens), limit, faulty(faults), validated(), environmentErrors]
}

/** The ways in which a fault can end a call. */
const connectionKey = createContextKey({ reset() {}, cut() {} })

export function connectionValues(request: IncomingMessage | Http2ServerRequest): ContextValues {
  if (!('stream' in request)) throw new Error('gRPC needs HTTP/2')
  const { stream } = request
  return createContextValues().set(connectionKey, {
    /** Resets the TCP connection and all its calls. */
    reset: () => stream.session?.socket.resetAndDestroy(),
    /** Ends only this call. */
    cut: () => stream.close(constants.NGHTTP2_CANCEL),
  })
}

/** Refuses wrong and expired tokens with the same error. After this error, the SDK requests a new token. */
function authenticated(tokens: AccessTokens): Interceptor {
  return (next) => (request) => {
    if (tokens.accepts(request.header.get('authorization'))) return next(request)
    throw new ConnectError('the access token is missing, unknown or expired', Code.Unauthenticated)
  }
}

const windowMs = 60_000

/** Limits the calls in each window of one minute, as Scalekit's documentation describes. */
function limited(clock: Clock, requestsPerMinute = Number.POSITIVE_INFINITY): Interceptor {
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

function faulty(faults: ApiFaultDraw): Interceptor {
  return (next) => async (request) => {
    const page = request.stream ? undefined : pageNumber(request.message)
    const method = request.method.localName
    const call = { method, call: faults.nextCall(), ...omitUndefined({ page }) }
    const strikes = (name: ApiFaultName) => faults.strikes(name, call)
    request.contextValues.set(strikesKey, strikes)
    const connection = request.contextValues.get(connectionKey)
    const { latencyMs = 0 } = faults.faults
    if (latencyMs > 0 && strikes('slow')) {
      await wait(latencyMs, undefined, { signal: request.signal })
    }
    if (strikes('resetConnection')) {
      connection.reset()
      throw new ConnectError('injected fault: resetConnection', Code.Aborted)
    }
    for (const [name, code] of failures) {
      if (strikes(name)) throw new ConnectError(`injected fault: ${name}`, code)
    }
    const response = await next(request)
    if (strikes('cutCall')) {
      connection.cut()
      throw new ConnectError('injected fault: cutCall', Code.Aborted)
    }
    return response
  }
}

/** Checks each request against the validation rules in Scalekit's descriptors. */
function validated(): Interceptor {
  const validator = createValidator()
  return (next) => (request) => {
    if (request.stream) return next(request)
    const result = validator.validate(request.method.input, request.message)
    if (result.kind === 'error') throw result.error
    if (result.kind === 'invalid') throw invalidArgument(result.violations)
    return next(request)
  }
}

function invalidArgument(violations: readonly Violation[]): ConnectError {
  const fieldViolations = violations.map(({ field, message, ruleId }) => ({
    field: field.map((step) => ('name' in step ? step.name : '')).join('.'),
    description: message,
    constraint: ruleId,
  }))
  const details = {
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { validationErrorInfo: { fieldViolations } }),
  }
  return new ConnectError(violations.map(String).join('; '), Code.InvalidArgument, undefined, [details])
}

const codes: Record<EnvironmentErrorReason, Code> = {
  'not-found': Code.NotFound,
  invalid: Code.InvalidArgument,
  conflict: Code.AlreadyExists,
  'directory-disabled': Code.FailedPrecondition,
}

/** Maps an EnvironmentError to an error of the API. */
const environmentErrors: Interceptor = (next) => async (request) => {
  try {
    return await next(request)
  } catch (error) {
    throw error instanceof EnvironmentError ? new ConnectError(error.message, codes[error.reason]) : error
  }
}
