import { ConfigurationError, createDispatcher } from '@scalekit-scim/core'
import { createDirectorySync, type DirectorySyncOptions } from '@scalekit-scim/core/sync'
import { expect, test } from 'vitest'
import { application, have } from '../support/application.ts'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

/** The error for an invalid option. */
function refused(patch: object): { code: string; option: string | undefined; message: string } {
  try {
    createDirectorySync(optionsWith(patch))
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return { code: error.code, option: error.option, message: error.message }
    }
    throw error
  }
  throw new Error('the options were accepted')
}

function optionsWith(patch: object): DirectorySyncOptions {
  const { dispatcher } = application()
  return { scalekit: new TestApi(), dispatcher, organizations: 'all', logger: false, ...patch }
}

test.each([
  { patch: { know: {} }, option: 'know', says: 'did you mean `known`?' },
  { patch: { known: { user: () => [] } }, option: 'known.user', says: 'did you mean `known.users`?' },
  {
    patch: { deletions: { maxcount: 1 } },
    option: 'deletions.maxcount',
    says: 'did you mean `deletions.maxCount`?',
  },
  {
    patch: { concurrency: { event: 1 } },
    option: 'concurrency.event',
    says: 'did you mean `concurrency.events`?',
  },
  {
    patch: { schedule: { every: 1 } },
    option: 'schedule.every',
    says: 'There is no option `schedule.every`',
  },
  {
    patch: { deletions: { max: 1 } },
    option: 'deletions.max',
    says: 'has the options `maxCount`, `maxShare`',
  },
])('$patch is rejected with a suggestion of the right name', ({ patch, option, says }) => {
  expect(refused(patch)).toEqual({
    code: 'ERR_SCIM_UNKNOWN_OPTION',
    option,
    message: expect.stringContaining(says),
  })
})

test.each([
  { option: 'scalekit', says: '`scalekit` is missing: `await scalekitFromEnv()`.' },
  { option: 'dispatcher', says: '`dispatcher` is missing: pass the receiver, or `createDispatcher(…)`.' },
])('the error for a missing $option names the expected value', ({ option, says }) => {
  expect(refused({ [option]: undefined })).toEqual({
    code: 'ERR_SCIM_INVALID_OPTION',
    option,
    message: says,
  })
})

test.each([
  { patch: { scalekit: {} }, option: 'scalekit.organization' },
  { patch: { scalekit: { organization: { listOrganization() {} } } }, option: 'scalekit.directory' },
  { patch: { dispatcher: {} }, option: 'dispatcher' },
  { patch: { dispatcher: { dispatch() {} } }, option: 'dispatcher.ledger' },
  { patch: { organizations: undefined }, option: 'organizations' },
  { patch: { organizations: 'org_1' }, option: 'organizations' },
  { patch: { organizations: ['org_1', ''] }, option: 'organizations' },
  { patch: { known: () => [] }, option: 'known' },
  { patch: { known: [] }, option: 'known' },
  { patch: { known: null }, option: 'known' },
  { patch: { schedule: 60 }, option: 'schedule' },
  { patch: { deletions: 5 }, option: 'deletions' },
  { patch: { concurrency: 3 }, option: 'concurrency' },
  { patch: { known: { users: [] } }, option: 'known.users' },
  { patch: { deletions: { maxShare: 1.1 } }, option: 'deletions.maxShare' },
  { patch: { deletions: { maxCount: '20' } }, option: 'deletions.maxCount' },
  { patch: { concurrency: { events: 1.5 } }, option: 'concurrency.events' },
  { patch: { concurrency: { directories: 0 } }, option: 'concurrency.directories' },
  { patch: { fullEverySeconds: 0 }, option: 'fullEverySeconds' },
  { patch: { overlapSeconds: -1 }, option: 'overlapSeconds' },
  { patch: { leaseSeconds: 0 }, option: 'leaseSeconds' },
  { patch: { onReport: true }, option: 'onReport' },
  { patch: { logger: true }, option: 'logger' },
  { patch: { clock: {} }, option: 'clock' },
  { patch: { schedule: {} }, option: 'schedule' },
  { patch: { schedule: { everySeconds: 60, cron: '* * * * *' } }, option: 'schedule' },
  { patch: { schedule: { everySeconds: '60' } }, option: 'schedule.everySeconds' },
  { patch: { schedule: { cron: 'at noon' } }, option: 'schedule' },
  { patch: { schedule: { cron: '0 3 * * *', timezone: 'Mars/Olympus' } }, option: 'schedule' },
  { patch: { schedule: { cron: '0 3 * * *', jitterSeconds: -1 } }, option: 'schedule.jitterSeconds' },
  { patch: { schedule: { everySeconds: 60, runAtStart: 'no' } }, option: 'schedule' },
])('$patch is rejected', ({ patch, option }) => {
  expect(refused(patch)).toMatchObject({ code: 'ERR_SCIM_INVALID_OPTION', option })
})

test.each([
  { patch: { scalekit: Promise.resolve(new TestApi()) }, says: '`scalekit` is a promise: `await' },
  { patch: { dispatcher: { receiver: {} } }, says: '`dispatcher` is the middleware: pass its `receiver`' },
])('$patch is rejected, and the error names the missing step', ({ patch, says }) => {
  expect(refused(patch)).toMatchObject({
    code: 'ERR_SCIM_INVALID_OPTION',
    message: expect.stringContaining(says),
  })
})

test.each([
  { run: { dryrun: true }, code: 'ERR_SCIM_UNKNOWN_OPTION' },
  { run: { mode: 'whole' }, code: 'ERR_SCIM_INVALID_OPTION' },
  { run: { approve: 'one' }, code: 'ERR_SCIM_INVALID_OPTION' },
  { run: { dryRun: 'yes' }, code: 'ERR_SCIM_INVALID_OPTION' },
  { run: { organizations: 'org_1' }, code: 'ERR_SCIM_INVALID_OPTION' },
  { run: { signal: {} }, code: 'ERR_SCIM_INVALID_OPTION' },
  { run: { onProgress: 1 }, code: 'ERR_SCIM_INVALID_OPTION' },
])('a run with $run is rejected', async ({ run, code }) => {
  const sync = createDirectorySync(optionsWith({}))
  await expect(sync.run(Object(run))).rejects.toMatchObject({ code })
})

test.each([
  { deletions: { maxCount: 5 }, may: 5 },
  { deletions: { maxShare: 0.01 }, may: 10 },
  { deletions: { maxCount: 5, maxShare: 0.01 }, may: 10 },
  { deletions: { maxCount: 5, maxShare: undefined }, may: 5 },
  { deletions: { maxCount: 0 }, may: 0 },
  { deletions: {}, may: 50 },
])(
  'with $deletions, $may of 1000 missing users are deleted; with one more, all are held',
  async ({ deletions, may }) => {
    const held = async (gone: number) => {
      const all = people(1000)
      const app = application()
      have(
        app,
        all.map(({ id }) => id),
      )
      const sync = createDirectorySync({
        ...optionsWith({ deletions }),
        scalekit: new TestApi(new TestDirectory('org_1', all.slice(gone))),
        known: app.known,
      })
      return (await sync.run({ dryRun: true })).totals.users.held
    }
    expect(await held(may)).toBe(0)
    expect(await held(may + 1)).toBe(may + 1)
  },
)

test('undefined options have their defaults', async () => {
  const sync = createDirectorySync(
    optionsWith({ known: undefined, schedule: undefined, deletions: undefined, concurrency: undefined }),
  )
  expect((await sync.run({ mode: undefined, approve: undefined })).outcome).toBe('complete')
})

test('start without a schedule throws', () => {
  const sync = createDirectorySync(optionsWith({}))
  expect(() => sync.start()).toThrow(ConfigurationError)
})

test('a ledger in memory logs a warning about other processes', () => {
  const logger = recordingLogger()
  createDirectorySync(optionsWith({ logger }))
  expect(logger.lines).toMatchObject([{ level: 'warn', fields: { guarantee: 'process' } }])
})

test('a dispatcher without order is rejected, because a sync would undo newer webhooks', () => {
  const dispatcher = createDispatcher({ ordering: 'none', store: 'memory', logger: false })
  expect(refused({ dispatcher })).toMatchObject({
    option: 'dispatcher',
    message: expect.stringContaining("leave `ordering` at 'resource'"),
  })
})
