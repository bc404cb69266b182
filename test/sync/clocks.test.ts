import { createDispatcher } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import { createDirectorySync, formatReport } from '@scalekit-scim/core/sync'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

/** Seconds between clocks, none of which goes on by itself. */
interface Scene {
  /** The store's against this process's. */
  storeAhead?: number
  /** The newest record's time against this process's. */
  recordAhead?: number
  /** So all have a time of their own that is so far ahead, each newer than the one before. */
  allAhead?: number
  /** How long the API takes for a page. */
  answersIn?: number
  /** How long the store takes to say its time, at first. */
  storeAnswersIn?: number
}

async function pass({ storeAhead = 0, recordAhead, allAhead, answersIn = 0, storeAnswersIn = 0 }: Scene) {
  let nowMs = Date.parse('2026-11-24T09:00:00Z')
  const clock = { ...systemClock, now: () => nowMs }
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    // In memory the store's time is the dispatcher's.
    clock: { ...systemClock, now: () => nowMs + storeAhead * 1000 },
    onUserUpserted: () => {},
  })
  onTestFinished(() => dispatcher.close())
  const directory = new TestDirectory('org_1', people(70))
  const [first] = directory.people
  if (first && recordAhead !== undefined) first.updatedAtMs = nowMs + recordAhead * 1000
  if (allAhead !== undefined) {
    for (const [index, person] of directory.people.entries()) {
      person.updatedAtMs = nowMs + allAhead * 1000 + index
    }
  }
  let storeAsked = 0
  const { now } = dispatcher.ledger
  dispatcher.ledger.now = () => {
    storeAsked++
    nowMs += storeAnswersIn * 1000
    storeAnswersIn = 0
    return now.call(dispatcher.ledger)
  }
  const api = new TestApi(directory)
  api.beforePage = () => {
    nowMs += answersIn * 1000
  }
  const logger = recordingLogger()
  const sync = createDirectorySync({ scalekit: api, dispatcher, organizations: 'all', logger, clock })
  const report = await sync.run()
  const warned = logger.lines.filter(({ message }) => message.includes('NTP'))
  return { report, text: formatReport(report), warned, storeAsked }
}

test.each([
  {
    scene: { storeAhead: 95 },
    apart: { storeAheadSeconds: 95 },
    says: "clocks: the store's is 95 s ahead of this process's. ",
  },
  {
    scene: { storeAhead: -95, recordAhead: 0 },
    apart: { storeAheadSeconds: -95, recordsAheadSeconds: 95 },
    says: "clocks: the store's is 95 s behind this process's, Scalekit's is 95 s ahead of the store's. ",
  },
  {
    scene: { recordAhead: 95 },
    apart: { recordsAheadSeconds: 95 },
    says: "clocks: Scalekit's is 95 s ahead of the store's. ",
  },
])('clocks that are apart are warned of, once: $apart', async ({ scene, apart, says }) => {
  const { report, text, warned } = await pass(scene)
  expect(report.clocksApart).toEqual(apart)
  expect(warned).toMatchObject([{ level: 'warn', fields: apart }])
  expect(text).toContain(says)
})

test.each([
  { of: 'clocks that are near enough', scene: { storeAhead: 30, recordAhead: 60 } },
  // The page of groups has come a minute after the beginning, and that of users a minute later.
  {
    of: 'a record that was changed while its page was on the way',
    scene: { recordAhead: 100, answersIn: 60 },
  },
  { of: 'a store that took long to say its time', scene: { storeAnswersIn: 60 } },
])('nothing is said of $of', async ({ scene }) => {
  const { report, text, warned } = await pass(scene)
  expect(report).not.toHaveProperty('clocksApart')
  expect(text).not.toContain('clocks')
  expect(warned).toEqual([])
})

test('the store is asked once a page at most, not for each record that lies ahead of it', async () => {
  const near = await pass({ allAhead: 0 })
  const { report, storeAsked } = await pass({ allAhead: 95 })
  expect(report.clocksApart).toEqual({ recordsAheadSeconds: 95 })
  const pages = 3
  expect(storeAsked).toBeLessThanOrEqual(near.storeAsked + pages)
})
