import type { Clock } from '@scalekit-scim/core'
import { delay, randomnessOf, systemClock } from '@scalekit-scim/core/internal'
import { untilAborted } from '../waiting.ts'

/** How the sync retries calls of the API. */
export interface Retrying {
  /** When the signal aborts, the current call or pause ends immediately, with the signal's reason as the error. */
  signal?: AbortSignal | undefined
  onRetry?: ((retry: Retry) => void) | undefined
  /** For tests. @default the system's clock */
  clock?: Clock | undefined
}

/** A failed call that is retried after a pause. */
export interface Retry {
  /** The number of the failed call. The first call has the number 1. */
  attempt: number
  pauseMs: number
  rateLimited: boolean
  error: unknown
}

const maxAttempts = 6
const firstPauseMs = 500
const longestPauseMs = 30_000
/** The upper bounds of the pauses are 0.5, 1.5, 4.5, 13.5 and 30 s. */
const pauseGrowth = 3
/** Scalekit's limits are per minute. Even five of the shortest pauses take more than a minute. */
const rateLimitPauseMs = { min: 15_000, max: 45_000 }
const longestRetryAfterMs = 120_000

/**
 * Makes a read call up to six times, with pauses that use full jitter. If a retry cannot fix an error, immediately
 * throws the error. If the last call fails, throws the error of this call unchanged.
 */
export async function retrying<Answer>(
  call: () => Promise<Answer>,
  { signal, onRetry, clock = systemClock }: Retrying = {},
): Promise<Answer> {
  const random = () => randomnessOf(clock).fraction()
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await untilAborted(call(), signal)
    } catch (error) {
      const retry = retryFor(error)
      if (signal?.aborted || retry === 'none' || attempt === maxAttempts) throw error
      const rateLimited = retry === 'wait'
      const longestMs = Math.min(firstPauseMs * pauseGrowth ** (attempt - 1), longestPauseMs)
      const pauseMs = rateLimited ? rateLimitPause(error, random) : random() * longestMs
      onRetry?.({ attempt, pauseMs, rateLimited, error })
      // The pause keeps the process running, because a script can have nothing else to do.
      await delay(clock, pauseMs, signal)
    }
  }
}

function rateLimitPause(error: unknown, random: () => number): number {
  const { min, max } = rateLimitPauseMs
  const pauseMs = min + random() * (max - min)
  return Math.max(pauseMs, Math.min(retryAfterMs(error), longestRetryAfterMs))
}

/**
 * Whether a retry can fix the error.
 *
 * - 'none': no retry can fix the error.
 * - 'again': a retry after a short pause can fix the error.
 * - 'wait': a retry after the end of a rate limit can fix the error.
 */
export type RetryKind = 'none' | 'again' | 'wait'

/** gRPC status codes, which the SDK's exceptions have in `grpcStatus`. */
const byGrpcStatus: Readonly<Record<number, RetryKind>> = {
  1: 'again', // Canceled: the connection was closed during the call
  2: 'again', // Unknown: a gateway's HTTP 500
  4: 'again', // DeadlineExceeded
  8: 'wait', // ResourceExhausted
  10: 'again', // Aborted: a reset connection, which the SDK reports as a conflict
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
 * Core does not load the SDK, so only the error's properties show its kind. The SDK's exceptions have `grpcStatus`. A
 * ConnectError has `code`. If the token endpoint fails, the error is an AxiosError with `response.status` or `code`.
 */
export function retryFor(error: unknown): RetryKind {
  const status = numberIn(error, 'grpcStatus') ?? numberIn(error, 'code')
  if (status !== undefined) return byGrpcStatus[status] ?? 'none'
  const httpStatus = numberIn(field(error, 'response'), 'status')
  if (httpStatus === 429) return 'wait'
  if (httpStatus !== undefined) return httpStatus === 408 || httpStatus >= 500 ? 'again' : 'none'
  const code = field(error, 'code') ?? field(field(error, 'cause'), 'code')
  return typeof code === 'string' && networkCodes.has(code) ? 'again' : 'none'
}

/** Returns the pause of the header `Retry-After`. If the header is absent or contains a date, returns 0. */
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
