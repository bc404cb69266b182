import { createFakeClock } from '@scalekit-scim/core/testing'
import { describe, expect, test } from 'vitest'
import { type Retry, retryFor, retrying } from '../../packages/core/src/sync/reading/retrying.ts'
import { withChance } from '../support/randomness.ts'

/** Creates a call that fails once with each error, and then returns the number of calls. */
function failing(...errors: unknown[]) {
  let calls = 0
  return async () => {
    const error = errors[calls++]
    if (error !== undefined) throw error
    return calls
  }
}

const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const limited = Object.assign(new Error('too many requests'), { grpcStatus: 8, httpStatus: 429 })

async function pausesOf(error: unknown, random: () => number): Promise<Retry[]> {
  const clock = withChance(createFakeClock(), random)
  const retries: Retry[] = []
  const call = retrying(failing(error, error, error, error, error, error), {
    clock,
    onRetry: (retry) => retries.push(retry),
  })
  const thrown = expect(call).rejects.toBe(error)
  await clock.advance(3_600_000)
  await thrown
  return retries
}

test('after six calls the error of the last one is thrown unchanged', async () => {
  const retries = await pausesOf(reset, Math.random)
  expect(retries.map(({ attempt, rateLimited }) => ({ attempt, rateLimited }))).toEqual(
    [1, 2, 3, 4, 5].map((attempt) => ({ attempt, rateLimited: false })),
  )
  expect(retries.every(({ error }) => error === reset)).toBe(true)
})

test('the bound of the pauses grows from 0.5 s to 30 s', async () => {
  const longest = await pausesOf(reset, () => 1)
  expect(longest.map(({ pauseMs }) => pauseMs)).toEqual([500, 1500, 4500, 13_500, 30_000])
  const shortest = await pausesOf(reset, () => 0)
  expect(shortest.map(({ pauseMs }) => pauseMs)).toEqual([0, 0, 0, 0, 0])
})

test('even the shortest pauses after a rate limit are longer than its minute', async () => {
  const retries = await pausesOf(limited, () => 0)
  expect(retries.every(({ rateLimited }) => rateLimited)).toBe(true)
  expect(retries.reduce((sum, { pauseMs }) => sum + pauseMs, 0)).toBeGreaterThan(60_000)
})

test.each([
  ['60', 60_000],
  ['1', 15_000],
  ['86400', 120_000],
  ['Tue, 24 Nov 2026 09:00:00 GMT', 15_000],
])('Retry-After: %s of the token endpoint is followed within limits', async (retryAfter, pauseMs) => {
  const response = { status: 429, headers: { 'retry-after': retryAfter } }
  const [retry] = await pausesOf(Object.assign(new Error('429'), { isAxiosError: true, response }), () => 0)
  expect(retry).toMatchObject({ pauseMs, rateLimited: true })
})

test('the next call waits for the pause', async () => {
  const clock = withChance(createFakeClock(), () => 0.5)
  let answer: number | undefined
  const call = retrying(failing(reset), { clock }).then((given) => {
    answer = given
  })
  await clock.advance(249)
  expect(answer).toBeUndefined()
  await clock.advance(1)
  await call
  expect(answer).toBe(2)
})

test('an abort ends a pause at once, and its reason is thrown', async () => {
  const stopped = new Error('stopped')
  const abort = new AbortController()
  const onRetry = () => setImmediate(() => abort.abort(stopped))
  const call = retrying(failing(limited), { clock: createFakeClock(), signal: abort.signal, onRetry })
  await expect(call).rejects.toBe(stopped)
})

test('no call is made after the signal has aborted', async () => {
  const call = retrying(() => Promise.reject(new Error('called')), { signal: AbortSignal.abort('stopped') })
  await expect(call).rejects.toBe('stopped')
})

test('the error of a call after an abort is ignored', async () => {
  const abort = new AbortController()
  let fail = (_: Error) => {}
  const call = retrying(() => new Promise((_, reject) => (fail = reject)), { signal: abort.signal })
  abort.abort(new Error('stopped'))
  await expect(call).rejects.toThrow('stopped')
  fail(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
})

describe('the properties of an error decide on a retry:', () => {
  const withResponse = (status: number) => ({ isAxiosError: true, response: { status, headers: {} } })
  test.each([
    ['Canceled', { grpcStatus: 1, httpStatus: 499 }, 'again'],
    ['Unknown: a gateway’s 500', { grpcStatus: 2, httpStatus: 500 }, 'again'],
    ['InvalidArgument', { grpcStatus: 3, httpStatus: 400 }, 'none'],
    ['DeadlineExceeded', { grpcStatus: 4, httpStatus: 504 }, 'again'],
    ['NotFound', { grpcStatus: 5, httpStatus: 404 }, 'none'],
    ['AlreadyExists: a conflict that the network did not cause', { grpcStatus: 6, httpStatus: 409 }, 'none'],
    ['PermissionDenied', { grpcStatus: 7, httpStatus: 403 }, 'none'],
    ['ResourceExhausted', { grpcStatus: 8, httpStatus: 429 }, 'wait'],
    ['FailedPrecondition', { grpcStatus: 9, httpStatus: 400 }, 'none'],
    ['Aborted: a reset connection', { grpcStatus: 10, httpStatus: 409 }, 'again'],
    ['Unimplemented', { grpcStatus: 12, httpStatus: 501 }, 'none'],
    ['Internal', { grpcStatus: 13, httpStatus: 500 }, 'again'],
    ['Unavailable', { grpcStatus: 14, httpStatus: 503 }, 'again'],
    ['Unauthenticated', { grpcStatus: 16, httpStatus: 401 }, 'none'],
    ['a bare ConnectError', { name: 'ConnectError', code: 14 }, 'again'],
    ['the token endpoint’s 400', withResponse(400), 'none'],
    ['the token endpoint’s 401', withResponse(401), 'none'],
    ['the token endpoint’s 408', withResponse(408), 'again'],
    ['the token endpoint’s 429', withResponse(429), 'wait'],
    ['the token endpoint’s 502', withResponse(502), 'again'],
    ['a response outweighs its code', { ...withResponse(401), code: 'ECONNRESET' }, 'none'],
    ['a refused connection', { isAxiosError: true, code: 'ECONNREFUSED' }, 'again'],
    ['an unavailable name server', { isAxiosError: true, code: 'EAI_AGAIN' }, 'again'],
    ['a time-out', { isAxiosError: true, code: 'ECONNABORTED' }, 'again'],
    ['a certificate that is not trusted', { isAxiosError: true, code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'none'],
    ['fetch’s own', Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } }), 'again'],
    ['an error of a program', new TypeError('x is not a function'), 'none'],
    ['a text', 'directory does not exist for organization', 'none'],
    ['nothing', undefined, 'none'],
  ])('%s', (_, error, retry) => {
    expect(retryFor(error)).toBe(retry)
  })
})
