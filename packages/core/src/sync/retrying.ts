import type { Clock } from '@scalekit-scim/core'
import { awaited, delay, systemClock } from '@scalekit-scim/core/internal'
import { untilAborted } from './waiting.ts'

/** How calls of the API are tried again. */
export interface Retrying {
  /** Ends a call and a pause at once; what is thrown is the signal's reason. */
  signal?: AbortSignal | undefined
  onRetry?: ((retry: Retry) => void) | undefined
  /** For tests. @default the system's */
  clock?: Clock | undefined
  /** From 0 up to 1, for tests. @default Math.random */
  random?: (() => number) | undefined
}

/** A call that failed and will be made again after the pause. */
export interface Retry {
  /** 1 for the first call that failed. */
  attempt: number
  pauseMs: number
  rateLimited: boolean
  error: unknown
}

const maxAttempts = 6
const firstPauseMs = 500
const longestPauseMs = 30_000
/** So that five pauses, each of the least length, outlast the longest pause. */
const pauseGrowth = 3
/** Scalekit's limits are per minute: five pauses of the least length are longer. */
const rateLimitPauseMs = { least: 15_000, most: 45_000 }
const longestRetryAfterMs = 120_000

/**
 * Calls until an answer comes, for reads: up to six times, with pauses under full jitter. What another call would
 * not mend is thrown at once, and at the end the error of the last call, as it is.
 */
export async function retrying<Answer>(
  call: () => Promise<Answer>,
  { signal, onRetry, clock = systemClock, random = Math.random }: Retrying = {},
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await untilAborted(call(), signal)
    } catch (error) {
      const remedy = remedyOf(error)
      if (signal?.aborted || remedy === 'none' || attempt === maxAttempts) throw error
      const rateLimited = remedy === 'wait'
      const pauseMs = rateLimited ? rateLimitPause(error, random) : backoff(attempt, random)
      onRetry?.({ attempt, pauseMs, rateLimited, error })
      await pause(pauseMs, clock, signal)
    }
  }
}

function backoff(attempt: number, random: () => number): number {
  return random() * Math.min(firstPauseMs * pauseGrowth ** (attempt - 1), longestPauseMs)
}

function rateLimitPause(error: unknown, random: () => number): number {
  const { least, most } = rateLimitPauseMs
  const pauseMs = least + random() * (most - least)
  return Math.max(pauseMs, Math.min(retryAfterMs(error), longestRetryAfterMs))
}

async function pause(pauseMs: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  // A script that waits here may have nothing else that keeps its process running.
  await delay(clock, pauseMs, signal, awaited)
  signal?.throwIfAborted()
}

/** What may mend a call that failed: nothing, another call, or another once a rate limit's window is over. */
export type Remedy = 'none' | 'again' | 'wait'

/** gRPC's status codes, as the SDK's exceptions carry them in `grpcStatus`. */
const byGrpcStatus: Readonly<Record<number, Remedy>> = {
  1: 'again', // Canceled: the connection was closed under the call
  2: 'again', // Unknown: a gateway's HTTP 500
  4: 'again', // DeadlineExceeded
  8: 'wait', // ResourceExhausted
  10: 'again', // Aborted: a reset connection, which the SDK calls a conflict
  13: 'again', // Internal
  14: 'again', // Unavailable
}

export const networkCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_NETWORK',
  'ETIMEDOUT',
])

/**
 * Told by shape, for core does not load the SDK: `grpcStatus` of its exceptions, `code` of a bare ConnectError, and
 * `response.status` or `code` of the AxiosError that a failing token endpoint leaves.
 */
export function remedyOf(error: unknown): Remedy {
  const status = numberIn(error, 'grpcStatus') ?? numberIn(error, 'code')
  if (status !== undefined) return byGrpcStatus[status] ?? 'none'
  const httpStatus = numberIn(field(error, 'response'), 'status')
  if (httpStatus !== undefined) return byHttpStatus(httpStatus)
  const code = field(error, 'code') ?? field(field(error, 'cause'), 'code')
  return typeof code === 'string' && networkCodes.has(code) ? 'again' : 'none'
}

function byHttpStatus(status: number): Remedy {
  if (status === 429) return 'wait'
  return status === 408 || status >= 500 ? 'again' : 'none'
}

/** 0 where the answer says none, or a date. */
function retryAfterMs(error: unknown): number {
  const seconds = field(field(field(error, 'response'), 'headers'), 'retry-after')
  return typeof seconds === 'string' && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : 0
}

export function numberIn(value: unknown, name: string): number | undefined {
  const found = field(value, name)
  return typeof found === 'number' ? found : undefined
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
