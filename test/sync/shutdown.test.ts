import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

test("a sync and its dispatcher that end at once: the grace is the sync's events' too", async () => {
  const begun = Promise.withResolvers<void>()
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    onUserUpserted: async (_event, { signal }) => {
      begun.resolve()
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  })
  const sync = createDirectorySync({
    scalekit: new TestApi(new TestDirectory('org_1', people(3))),
    dispatcher,
    organizations: 'all',
    logger: false,
  })
  const pass = sync.run()
  await begun.promise
  await Promise.all([sync.stop(), dispatcher.close({ graceSeconds: 0.1 })])
  expect((await pass).outcome).toBe('cancelled')
  // Given back: another process need not wait until it lapses.
  expect(await dispatcher.ledger.record('sync:pass').read()).toBeUndefined()
})

/** A sync in the middle of two directories, whose only slot is held by a handler that minds nothing. */
async function heldUp() {
  const begun = Promise.withResolvers<void>()
  const end = Promise.withResolvers<void>()
  let handled = 0
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    onUserUpserted: () => {
      handled++
      begun.resolve()
      return end.promise
    },
  })
  const logger = recordingLogger()
  const sync = createDirectorySync({
    scalekit: new TestApi(new TestDirectory('org_1', people(3)), new TestDirectory('org_2', people(3, 3))),
    dispatcher,
    organizations: 'all',
    concurrency: { events: 1 },
    logger,
  })
  onTestFinished(async () => {
    end.resolve()
    await dispatcher.close()
  })
  const pass = sync.run()
  await begun.promise
  return { sync, dispatcher, pass, logger, end: end.resolve, handled: () => handled }
}

test.each([
  { beside: 'alone', closes: false },
  { beside: 'beside close()', closes: true },
])('stop() $beside leaves a handler behind that does not end in its grace', async ({ closes }) => {
  const { sync, dispatcher, pass, logger, end, handled } = await heldUp()
  const closed = closes ? dispatcher.close({ graceSeconds: 0.05 }) : undefined
  await Promise.all([sync.stop({ graceSeconds: 0.05 }), closed])
  expect(await pass).toMatchObject({ outcome: 'cancelled', error: { name: 'AbortError' } })
  expect(logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContainEqual(
    expect.stringContaining('running handlers continue'),
  )
  expect(await dispatcher.ledger.record('sync:pass').read()).toBeUndefined()
  // Nor does anything go on once it has ended.
  end()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(handled()).toBe(1)
})

test('a handler that ends in the grace is waited for, and counted', async () => {
  const { sync, pass, logger, end } = await heldUp()
  const stopped = sync.stop()
  end()
  await stopped
  expect((await pass).totals.users).toMatchObject({ updated: 1, failed: 0 })
  expect(logger.text()).not.toContain('left behind')
})

test('a grace that is none is refused, and ends nothing', async () => {
  const { sync, pass, end } = await heldUp()
  await expect(sync.stop({ graceSeconds: -1 })).rejects.toMatchObject({ option: 'graceSeconds' })
  end()
  expect((await pass).outcome).toBe('complete')
})

test('an event whose claim was lost is not brought again by a pass that ends', async () => {
  const { sync, dispatcher, pass, end, handled } = await heldUp()
  dispatcher.ledger.commit = async (claim) => {
    await dispatcher.ledger.release(claim)
    return 'lost'
  }
  const stopped = sync.stop()
  end()
  await stopped
  expect((await pass).totals.users).toMatchObject({ failed: 1 })
  expect(handled()).toBe(1)
})
