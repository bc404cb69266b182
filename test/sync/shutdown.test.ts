import { createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { expect, test } from 'vitest'
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
