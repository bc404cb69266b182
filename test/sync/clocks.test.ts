import { createDispatcher } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'
import { createDirectorySync, formatReport } from '@scalekit-scim/core/sync'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

/** Seconds between the clocks. No clock advances by itself. */
interface Scene {
  /** The lead of the store's clock over this process's clock. */
  storeAhead?: number
  /** The lead of the newest record's time over this process's clock. */
  recordAhead?: number
  /** The lead of each record's time. Each record is newer than the record before. */
  allAhead?: number
  /** The seconds that the API takes for a page. */
  answersIn?: number
  /** The seconds that the store takes for its first answer. */
  storeAnswersIn?: number
}

async function pass({ storeAhead = 0, recordAhead, allAhead, answersIn = 0, storeAnswersIn = 0 }: Scene) {
  let nowMs = Date.parse('2026-11-24T09:00:00Z')
  const clock = { ...systemClock, now: () => nowMs }
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    // A store in memory uses the time of the dispatcher.
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
])('a pass warns once of clocks that are too far apart: $apart', async ({ scene, apart, says }) => {
  const { report, text, warned } = await pass(scene)
  expect(report.clocksApart).toEqual(apart)
  expect(warned).toMatchObject([{ level: 'warn', fields: apart }])
  expect(text).toContain(says)
})

test.each([
  { of: 'clocks that are near enough', scene: { storeAhead: 30, recordAhead: 60 } },
  // The page of groups arrives a minute after the beginning. The page of users arrives a minute later.
  {
    of: 'a record that was changed while its page was requested',
    scene: { recordAhead: 100, answersIn: 60 },
  },
  { of: 'a store that needed long to return its time', scene: { storeAnswersIn: 60 } },
])('a pass does not warn of $of', async ({ scene }) => {
  const { report, text, warned } = await pass(scene)
  expect(report).not.toHaveProperty('clocksApart')
  expect(text).not.toContain('clocks')
  expect(warned).toEqual([])
})

test("a page reads the store's time once, not for each record ahead of it", async () => {
  const near = await pass({ allAhead: 0 })
  const { report, storeAsked } = await pass({ allAhead: 95 })
  expect(report.clocksApart).toEqual({ recordsAheadSeconds: 95 })
  const pages = 3
  expect(storeAsked).toBeLessThanOrEqual(near.storeAsked + pages)
})
