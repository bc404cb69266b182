import { systemClock } from '@scalekit-scim/core/internal'
import { type ApiUser, directoryUsers, PagingError } from '@scalekit-scim/core/sync'
import { createFakeClock } from '@scalekit-scim/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordPages } from '../../packages/core/src/sync/reading/pages.ts'
import { userKind } from '../../packages/core/src/sync/reading/records.ts'
import { withChance } from '../support/randomness.ts'
import { all, apiOf, apiUser, directory, inPages } from './in-process-api.ts'

const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => apiUser(`diruser_${from + index}`))
const ids = (records: readonly { id: string }[]) => records.map(({ id }) => id)

/** A server that answers when the test allows it. */
function slowServer(pages: readonly (readonly ApiUser[])[]) {
  const serve = inPages(pages)
  const asked: (string | undefined)[] = []
  const waiting: (() => void)[] = []
  const api = apiOf({
    async listDirectoryUsers(organizationId, directoryId, options) {
      asked.push(options?.pageToken)
      await new Promise<void>((resolve) => waiting.push(resolve))
      return serve(organizationId, directoryId, options)
    },
  })
  return { api, asked, answer: () => waiting.shift()?.() }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

test('every split into pages yields each record once and in order', async () => {
  const split = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(split, async (sizes) => {
      let from = 0
      const pages = sizes.map((size) => {
        from += size
        return people(size, from - size)
      })
      const api = apiOf({ listDirectoryUsers: inPages(pages) })
      expect(ids(await all(directoryUsers(api, directory)))).toEqual(ids(people(from)))
    }),
  )
})

test('a page requests 30 records with details, and the next one the following records', async () => {
  const asked: unknown[] = []
  const serve = inPages([people(30), people(1, 30)])
  const api = apiOf({
    listDirectoryUsers(...request) {
      asked.push(request)
      return serve(...request)
    },
  })
  await all(directoryUsers(api, directory, { updatedAfter: '2026-11-23T09:00:00Z' }))
  const options = { pageSize: 30, includeDetail: true, updatedAfter: '2026-11-23T09:00:00Z' }
  expect(asked).toEqual([
    ['org_1', 'dir_1', options],
    ['org_1', 'dir_1', { ...options, pageToken: '1' }],
  ])
})

test('only the next page is requested while a page is processed', async () => {
  const { api, asked, answer } = slowServer([people(1), people(1, 1), people(1, 2), people(1, 3)])
  const users = directoryUsers(api, directory)
  const first = users.next()
  await settled()
  expect(asked).toEqual([undefined])
  answer()
  await first
  await settled()
  expect(asked).toEqual([undefined, '1'])
  answer()
  await settled()
  expect(asked).toEqual([undefined, '1'])
  await users.next()
  expect(asked).toEqual([undefined, '1', '2'])
  await users.return()
})

test.each([
  ["the page's own", ['a', 'a']],
  ["the first page's", ['a', 'b', 'c', 'a']],
])("a token that repeats %s ends the stream with an error after the page's records", async (_, tokens) => {
  let calls = 0
  const api = apiOf({
    async listDirectoryUsers() {
      const nextPageToken = tokens[calls] ?? 'beyond'
      return { users: people(1, calls++), totalSize: 9, nextPageToken }
    },
  })
  const seen: string[] = []
  const walk = async () => {
    for await (const { id } of directoryUsers(api, directory)) seen.push(id)
  }
  await expect(walk()).rejects.toBeInstanceOf(PagingError)
  expect(seen).toEqual(ids(people(tokens.length)))
  expect(calls).toBe(tokens.length)
})

test('each page has the total and the result of `observe` before the request', async () => {
  let clock = 0
  const serve = inPages([people(2), people(1, 2)])
  const api = apiOf({
    async listDirectoryUsers(...request) {
      clock++
      return serve(...request)
    },
  })
  const pages = await all(recordPages(userKind, api, directory, { observe: async () => clock }))
  expect(pages.map(({ totalSize, observedAt }) => ({ totalSize, observedAt }))).toEqual([
    { totalSize: 3, observedAt: 0 },
    { totalSize: 3, observedAt: 1 },
  ])
})

test('`observe` is called again before a retry of a page', async () => {
  let calls = 0
  const serve = inPages([people(1)])
  const api = apiOf({
    async listDirectoryUsers(...request) {
      if (calls++ === 0) throw Object.assign(new Error('closed'), { code: 'ECONNRESET' })
      return serve(...request)
    },
  })
  const clock = withChance({ ...systemClock }, () => 0)
  const pages = await all(recordPages(userKind, api, directory, { observe: () => calls, clock }))
  expect(pages.map(({ observedAt }) => observedAt)).toEqual([1])
})

test("an error of `observe` ends the stream, because it is the store's", async () => {
  const down = Object.assign(new Error('the store is down'), { name: 'StoreUnavailableError' })
  const api = apiOf({ listDirectoryUsers: inPages([people(1)]) })
  const pages = recordPages(userKind, api, directory, { observe: () => Promise.reject(down) })
  await expect(pages.next()).rejects.toBe(down)
})

test('the error of a page ahead is thrown after the page before it', async () => {
  const failure = new Error('no more')
  const serve = inPages([people(2), people(1, 2)])
  const api = apiOf({
    async listDirectoryUsers(...request) {
      if (request[2]?.pageToken === '1') throw failure
      return serve(...request)
    },
  })
  const users = directoryUsers(api, directory)
  expect((await users.next()).value?.id).toBe('diruser_0')
  // The request of the next page has failed by now, and no code awaits it. An unhandled rejection would fail the test
  // run.
  await settled()
  await settled()
  expect((await users.next()).value?.id).toBe('diruser_1')
  await expect(users.next()).rejects.toBe(failure)
})

test('a reader that leaves the stream ends the retries of the page ahead', async () => {
  const retries: number[] = []
  let calls = 0
  const serve = inPages([people(1), people(1, 1)])
  const api = apiOf({
    async listDirectoryUsers(...request) {
      calls++
      if (request[2]?.pageToken === '1') throw Object.assign(new Error('closed'), { code: 'ECONNRESET' })
      return serve(...request)
    },
  })
  const clock = createFakeClock()
  const onRetry = ({ attempt }: { attempt: number }) => retries.push(attempt)
  for await (const _ of directoryUsers(api, directory, { onRetry, clock })) {
    await settled()
    break
  }
  await clock.advance(600_000)
  expect({ calls, retries }).toEqual({ calls: 2, retries: [1] })
})

test('an abort during a call throws its reason', async () => {
  const stopped = new Error('stopped')
  const abort = new AbortController()
  const api = apiOf({ listDirectoryUsers: () => new Promise(() => {}) })
  const next = directoryUsers(api, directory, { signal: abort.signal }).next()
  abort.abort(stopped)
  await expect(next).rejects.toBe(stopped)
})

test('an abort between two pages throws, although the next page has arrived', async () => {
  const abort = new AbortController()
  const api = apiOf({ listDirectoryUsers: inPages([people(1), people(1, 1)]) })
  const users = directoryUsers(api, directory, { signal: abort.signal })
  await users.next()
  await settled()
  abort.abort(new Error('stopped'))
  await expect(users.next()).rejects.toThrow('stopped')
})
