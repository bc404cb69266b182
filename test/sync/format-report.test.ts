import { createDirectorySync, type DirectorySyncOptions, formatReport } from '@scalekit-scim/core/sync'
import { expect, test } from 'vitest'
import { application, have } from '../support/application.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

function syncOf(api: TestApi, options: Partial<DirectorySyncOptions> = {}) {
  const app = application()
  const sync = createDirectorySync({
    scalekit: api,
    dispatcher: app.dispatcher,
    organizations: 'all',
    known: app.known,
    logger: false,
    ...options,
  })
  return { app, sync }
}

const firstLine = (text: string) => text.split('\n')[0]

test('the first line has the mode of the pass', async () => {
  const { sync } = syncOf(new TestApi(new TestDirectory('org_1', people(1))))
  expect(firstLine(formatReport(await sync.run()))).toMatch(/^Sync complete in \S+ s \(full\)$/)
  expect(firstLine(formatReport(await sync.run()))).toMatch(/^Sync complete in \S+ s \(incremental\)$/)
  const dryRun = await sync.run({ mode: 'full', dryRun: true })
  expect(firstLine(formatReport(dryRun))).toMatch(/^Dry run complete in \S+ s \(full\)$/)
})

test('the first line has the number of full directories if the modes differ', async () => {
  const api = new TestApi(new TestDirectory('org_1', people(1)))
  const { sync } = syncOf(api)
  await sync.run()
  api.directories.push(new TestDirectory('org_2', people(1)))
  expect(firstLine(formatReport(await sync.run()))).toMatch(/ \(1 of 2 directories full\)$/)
})

test('the first line has no mode if no directory was read', async () => {
  const { sync } = syncOf(new TestApi())
  expect(firstLine(formatReport(await sync.run()))).toMatch(/^Sync complete in \S+ s$/)
})

test('the counts of a single directory appear once', async () => {
  const { app, sync } = syncOf(new TestApi(new TestDirectory('org_1', people(3))))
  have(
    app,
    people(100).map(({ id }) => id),
  )
  const text = formatReport(await sync.run())
  expect(text.match(/users:/g)).toHaveLength(1)
  expect(text).toContain('\norg_1 dir_of_org_1 (full, ')
  expect(text).toContain('\n  held: 97 users not listed any more')
})

test('the counts of one of several directories appear next to the totals', async () => {
  const api = new TestApi(new TestDirectory('org_1', people(2)), new TestDirectory('org_2', []))
  const text = formatReport(await syncOf(api).sync.run())
  expect(text.match(/users: 2 seen, 2 created/g)).toHaveLength(2)
  expect(text).not.toContain('org_2')
})

test('a busy pass is one line without counts', async () => {
  const { app, sync } = syncOf(new TestApi(new TestDirectory('org_1', people(1))))
  await app.dispatcher.ledger.record('sync:pass').compareAndSet(undefined, 'of another', 60)
  expect(formatReport(await sync.run())).toBe('Sync not begun: another pass is running')
  expect(formatReport(await sync.run({ dryRun: true }))).toBe('Dry run not begun: another pass is running')
})

test('an approval without held deletions has a line', async () => {
  const { sync } = syncOf(new TestApi(new TestDirectory('org_1', people(3))))
  const text = formatReport(await sync.run({ approve: ['mistyped'] }))
  expect(text.split('\n').at(-1)).toBe('approval mistyped matches no held deletions')
})
