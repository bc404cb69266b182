import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { expect, onTestFinished, test } from 'vitest'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

test("a sync and its dispatcher that end together have the same grace for the sync's events", async () => {
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
  // The lease is released, so another process does not have to wait for its expiry.
  expect(await dispatcher.ledger.record('sync:pass').read()).toBeUndefined()
})

/** Starts a sync of two directories. A handler that ignores its signal occupies the only slot. */
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
  { combination: 'alone', closes: false },
  { combination: 'together with close()', closes: true },
])('stop() $combination resolves without a handler that exceeds the grace', async ({ closes }) => {
  const { sync, dispatcher, pass, logger, end, handled } = await heldUp()
  const closed = closes ? dispatcher.close({ graceSeconds: 0.05 }) : undefined
  await Promise.all([sync.stop({ graceSeconds: 0.05 }), closed])
  expect(await pass).toMatchObject({ outcome: 'cancelled', error: { name: 'AbortError' } })
  expect(logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContainEqual(
    expect.stringContaining('Running handlers continue'),
  )
  expect(await dispatcher.ledger.record('sync:pass').read()).toBeUndefined()
  // No call is made after the end of the sync.
  end()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(handled()).toBe(1)
})

test('stop waits for a handler that ends within the grace, and counts it', async () => {
  const { sync, pass, logger, end } = await heldUp()
  const stopped = sync.stop()
  end()
  await stopped
  expect((await pass).totals.users).toMatchObject({ updated: 1, failed: 0 })
  expect(logger.text()).not.toContain('left behind')
})

test('an invalid grace is rejected, and ends nothing', async () => {
  const { sync, pass, end } = await heldUp()
  await expect(sync.stop({ graceSeconds: -1 })).rejects.toMatchObject({ option: 'graceSeconds' })
  end()
  expect((await pass).outcome).toBe('complete')
})

test('a pass that ends does not retry an event whose lease was lost', async () => {
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
