import { createDirectorySync, type DirectorySyncOptions, type Schedule } from '@scalekit-scim/core/sync'
import { createFakeClock } from '@scalekit-scim/core/testing'
import { expect, onTestFinished, test } from 'vitest'
import { application } from '../support/application.ts'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

function scheduled(schedule: Schedule, options: Partial<DirectorySyncOptions> = {}) {
  const clock = createFakeClock(new Date('2026-11-23T09:00:00Z'))
  const app = application({ clock })
  const api = new TestApi(new TestDirectory('org_1', people(3)))
  const passes: string[] = []
  const sync = createDirectorySync({
    scalekit: api,
    dispatcher: app.dispatcher,
    organizations: 'all',
    logger: false,
    clock,
    schedule: { jitterSeconds: 0, ...schedule },
    onReport: ({ startedAt, outcome }) => passes.push(`${startedAt.slice(11, 19)} ${outcome}`),
    ...options,
  })
  onTestFinished(() => sync.stop())
  /** Advances the clock in small steps, because a pass has many short waits. */
  const advance = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) await clock.advance(1000)
  }
  return { sync, app, api, clock, passes, advance }
}

test('passes begin at once and then at the interval', async () => {
  const { sync, passes, advance } = scheduled({ everySeconds: 20 })
  sync.start()
  await advance(50)
  expect(passes).toEqual(['09:00:00 complete', '09:00:20 complete', '09:00:40 complete'])
})

test('the first pass can wait for the interval', async () => {
  const { sync, passes, advance } = scheduled({ everySeconds: 20, runAtStart: false })
  sync.start()
  await advance(30)
  expect(passes).toEqual(['09:00:20 complete'])
})

test('a cron expression uses its time zone', async () => {
  // This time is 14:30 in India.
  const schedule = { cron: '31 14 * * *', timezone: 'Asia/Kolkata', runAtStart: false }
  const { sync, passes, advance } = scheduled(schedule)
  sync.start()
  await advance(90)
  expect(passes).toEqual(['09:01:00 complete'])
})

test('jitter delays a pass, and never advances it', async () => {
  const { sync, passes, advance } = scheduled({ everySeconds: 20, jitterSeconds: 5, runAtStart: false })
  sync.start()
  await advance(200)
  const seconds = passes.map((pass) => Number(pass.slice(3, 5)) * 60 + Number(pass.slice(6, 8)))
  expect(seconds.length).toBe(9)
  for (const [index, second] of seconds.entries()) {
    expect(second - (index + 1) * 20).toBeGreaterThanOrEqual(0)
    expect(second - (index + 1) * 20).toBeLessThanOrEqual(5)
  }
})

test('a pass that is longer than the interval does not overlap with the next', async () => {
  const { sync, app, clock, passes, advance } = scheduled({ everySeconds: 10 })
  let running = 0
  let most = 0
  app.before = async () => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 25_000))
    running--
  }
  sync.start()
  await advance(55)
  expect(most).toBe(3)
  expect(passes[0]).toBe('09:00:00 complete')
  expect(passes.some((pass) => pass.endsWith('busy'))).toBe(false)
})

test('stop ends the pass, waits for its handlers, and begins no more passes', async () => {
  const { sync, app, passes, advance, clock } = scheduled(
    { everySeconds: 10 },
    { concurrency: { events: 1 } },
  )
  let begun = 0
  app.before = async () => {
    begun++
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 3000))
  }
  sync.start()
  await advance(1)
  let stopped = false
  const stop = sync.stop().then(() => {
    stopped = true
  })
  await advance(1)
  expect(stopped).toBe(false)
  await advance(3)
  await stop
  expect(begun).toBe(1)
  expect(app.history).toEqual(['updated diruser_0'])
  await advance(60)
  expect(passes).toEqual(['09:00:00 cancelled'])
})

test('a sync can be started again, and a second start has no effect', async () => {
  const { sync, passes, advance } = scheduled({ everySeconds: 20 })
  sync.start()
  sync.start()
  await advance(1)
  await sync.stop()
  sync.start()
  await advance(1)
  expect(passes.map((pass) => pass.slice(9))).toEqual(['complete', 'complete'])
})

test('a pass that cannot begin is logged and reported, and the next one begins', async () => {
  const logger = recordingLogger()
  const { sync, app, passes, advance } = scheduled({ everySeconds: 60 }, { logger })
  const { record } = app.dispatcher.ledger
  app.dispatcher.ledger.record = () => {
    throw new Error('the store is down')
  }
  sync.start()
  await advance(30)
  app.dispatcher.ledger.record = record
  await advance(60)
  expect(passes).toEqual(['09:00:00 incomplete', '09:01:00 complete'])
  expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
})
