import { type Ledger, StoreUnavailableError } from '@scalekit-scim/core'
import {
  createDirectorySync,
  type DirectoryRef,
  type DirectorySyncOptions,
  formatReport,
  type SyncProgress,
  type SyncReport,
} from '@scalekit-scim/core/sync'
import { DropEvent } from '@scalekit-scim/express'
import { describe, expect, test } from 'vitest'
import { type Application, application, have } from '../support/application.ts'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

function syncOf(app: Application, api: TestApi, options: Partial<DirectorySyncOptions> = {}) {
  return createDirectorySync({
    scalekit: api,
    dispatcher: app.dispatcher,
    organizations: 'all',
    known: app.known,
    logger: false,
    ...options,
  })
}

describe('the events of a pass', () => {
  test('a pass sends events of groups, then of users, then deletions of users, and then of groups', async () => {
    const app = application()
    const directory = new TestDirectory('org_1', people(3))
    directory.teams = [{ id: 'dirgroup_new' }]
    have(app, ['diruser_gone', 'diruser_0', 'diruser_1', 'diruser_2'])
    app.groups.set('dirgroup_gone', { ...row('dirgroup_gone') })
    app.groups.set('dirgroup_stays', { ...row('dirgroup_stays') })
    directory.teams.push({ id: 'dirgroup_stays', updatedAtMs: 1 })
    directory.people.push({ id: 'diruser_new' })
    await syncOf(app, new TestApi(directory)).run()
    expect(app.history).toEqual([
      'created dirgroup_new',
      'created diruser_new',
      'deleted diruser_gone',
      'deleted dirgroup_gone',
    ])
  })

  test('the events of a pass update users whose groups differ from `known`', async () => {
    const app = application()
    have(app, ['diruser_0', 'diruser_1'])
    Object.assign(app.users.get('diruser_0') ?? {}, { groupIds: ['b', 'a'] })
    const [one, other] = people(2)
    const directory = new TestDirectory('org_1', [
      { id: 'diruser_0', ...one, groupIds: ['a', 'b'] },
      { id: 'diruser_1', ...other, groupIds: ['a'] },
    ])
    const report = await syncOf(app, new TestApi(directory)).run()
    expect(report.totals.users).toMatchObject({ unchanged: 1, updated: 1 })
    expect(app.history).toEqual(['updated diruser_1'])
  })

  test('the events of a pass run eight at a time over all directories', async () => {
    const app = application()
    const api = new TestApi(
      ...['org_1', 'org_2', 'org_3'].map((id, i) => new TestDirectory(id, people(40, i * 40))),
    )
    let running = 0
    let most = 0
    app.before = async () => {
      running++
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 1))
      running--
    }
    const report = await syncOf(app, api).run()
    expect(report.totals.users.created).toBe(120)
    expect(most).toBe(8)
  })

  test('`known` may return a promise of rows without times', async () => {
    const app = application()
    const known = { users: async () => people(2).map(({ id }) => ({ id, occurredAt: null })) }
    const report = await syncOf(app, new TestApi(new TestDirectory('org_1', people(2))), { known }).run()
    expect(report.totals.users).toMatchObject({ updated: 2 })
  })

  test('a pass ends with an error code if `known` yields an invalid time', async () => {
    const app = application()
    const known = { users: () => [{ id: 'diruser_0', occurredAt: 'yesterday' }] }
    const report = await syncOf(app, new TestApi(new TestDirectory('org_1', people(2))), { known }).run()
    expect(report.organizations[0]?.directories[0]?.error).toMatchObject({
      name: 'SyncError',
      code: 'ERR_SCIM_KNOWN_INVALID',
    })
  })
})

describe('full and incremental', () => {
  test('the first pass is full, and the next one reads the changes since its start minus the overlap', async () => {
    const app = application()
    const directory = new TestDirectory('org_1', people(3))
    const api = new TestApi(directory)
    const sync = syncOf(app, api)
    const startedMs = Date.now()
    await sync.run()
    directory.people.push({ id: 'diruser_new', updatedAtMs: Date.now() })
    directory.people.shift()
    const report = await sync.run()
    expect(report.organizations[0]?.directories[0]?.mode).toBe('incremental')
    expect(report.totals.users).toMatchObject({ seen: 1, created: 1, deleted: 0 })
    const since = Date.parse(String(api.calls.at(-1)?.updatedAfter))
    expect(since).toBeGreaterThanOrEqual(startedMs - 301_000)
    expect(since).toBeLessThanOrEqual(Date.now() - 299_000)
  })

  test('the first pass of another start is full again', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(3)))
    await syncOf(app, api).run()
    await new Promise((resolve) => setTimeout(resolve, 2))
    const report = await syncOf(app, api).run()
    expect(report.organizations[0]?.directories[0]?.mode).toBe('full')
  })

  test('a pass is full if the last full one is old', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(3)))
    const sync = syncOf(app, api, { fullEverySeconds: 1 })
    await sync.run()
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect((await sync.run()).organizations[0]?.directories[0]?.mode).toBe('full')
    expect((await sync.run()).organizations[0]?.directories[0]?.mode).toBe('incremental')
  })

  test('an incremental pass without a complete pass before is full', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(3)))
    const sync = syncOf(app, api)
    expect((await sync.run({ mode: 'incremental' })).organizations[0]?.directories[0]?.mode).toBe('full')
    expect((await sync.run({ mode: 'incremental' })).organizations[0]?.directories[0]?.mode).toBe(
      'incremental',
    )
  })

  test('the next pass retries a failed event', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(3)))
    const sync = syncOf(app, api)
    app.before = () => {
      throw new Error('the database is down')
    }
    const first = await sync.run()
    expect(first).toMatchObject({ outcome: 'incomplete', totals: { users: { failed: 3, created: 0 } } })
    app.before = () => {}
    expect(await sync.run()).toMatchObject({ outcome: 'complete', totals: { users: { created: 3 } } })
  })

  test.each(['deleted', 'created'] as const)(
    'if a record was not %s in a full pass, the next pass retries it, even after an old change',
    async (change) => {
      const app = application()
      const directory = new TestDirectory('org_1', people(10))
      have(
        app,
        directory.people.map(({ id }) => id),
      )
      const sync = syncOf(app, new TestApi(directory))
      await sync.run()
      if (change === 'deleted') directory.people.pop()
      // This situation happens, for example, if a database is restored from a backup.
      else app.users.delete('diruser_9')
      app.before = () => {
        throw new Error('the database is away for a moment')
      }
      expect((await sync.run({ mode: 'full' })).totals.users.failed).toBe(1)
      app.before = () => {}
      expect((await sync.run()).totals.users).toMatchObject({ [change]: 1 })
      expect((await sync.run()).organizations[0]?.directories[0]?.mode).toBe('incremental')
    },
  )

  test('the next pass searches again for deletions in a directory that changed during the walk', async () => {
    const app = application()
    have(app, ['diruser_0', 'diruser_1', 'diruser_2', 'diruser_gone'])
    const api = new TestApi(new TestDirectory('org_1', people(3)))
    api.bend = (page) => ({ ...page, totalSize: 4 })
    const sync = syncOf(app, api)
    expect((await sync.run()).totals.users.held).toBe(1)
    api.bend = (page) => page
    expect((await sync.run()).totals.users.deleted).toBe(1)
  })

  test('a full walk with fewer records than announced is an error, and the next pass is full', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(100)))
    const sync = syncOf(app, api)
    api.bend = (page) => ({ ...page, nextPageToken: '' })
    const first = await sync.run()
    expect(first.outcome).toBe('incomplete')
    expect(first.organizations[0]?.directories[0]?.error).toMatchObject({
      name: 'SyncError',
      code: 'ERR_SCIM_WALK_SHORT',
    })
    api.bend = (page) => page
    expect(await sync.run()).toMatchObject({ outcome: 'complete', totals: { users: { created: 70 } } })
  })

  test('an incremental walk with fewer records than announced is followed by a full one', async () => {
    const app = application()
    const directory = new TestDirectory('org_1', people(100))
    const api = new TestApi(directory)
    have(
      app,
      directory.people.map(({ id }) => id),
    )
    const sync = syncOf(app, api)
    await sync.run()
    directory.people = directory.people.map((person) => ({
      ...person,
      active: false,
      updatedAtMs: Date.now(),
    }))
    api.bend = (page) => ({ ...page, nextPageToken: '' })
    expect((await sync.run()).totals.users).toMatchObject({ seen: 30, updated: 30 })
    api.bend = (page) => page
    const second = await sync.run()
    expect(second.totals.users).toMatchObject({ seen: 100, updated: 70 })
    const modes = [second, await sync.run()].map((report) => report.organizations[0]?.directories[0]?.mode)
    expect(modes).toEqual(['full', 'incremental'])
  })
})

describe('several directories', () => {
  test('a pass continues if an organization or a directory fails', async () => {
    const app = application()
    const api = new TestApi(
      ...['org_1', 'org_2', 'org_3'].map((id, i) => new TestDirectory(id, people(2, i * 2))),
    )
    api.beforeList = (id) => {
      if (id === 'org_1') throw new TypeError('no')
    }
    api.beforePage = ({ directory }) => {
      // The SDK sometimes rejects with a plain string.
      if (directory.organizationId === 'org_2') throw 'gone'
    }
    const report = await syncOf(app, api, {
      organizations: () => ['org_1', 'org_2', 'org_3', 'org_bare'],
    }).run()
    expect(report.outcome).toBe('incomplete')
    expect(report.totals).toMatchObject({ organizations: 4, skipped: 1, directories: 2, errors: 2 })
    expect(report.organizations).toMatchObject([
      { organizationId: 'org_1', error: { name: 'TypeError' } },
      { organizationId: 'org_2', directories: [{ error: { name: 'string' } }] },
      { organizationId: 'org_3', directories: [{ users: { created: 2 } }] },
      { organizationId: 'org_bare', skipped: 'no-directory' },
    ])
  })

  test('a pass deletes users who left even if the groups cannot be read', async () => {
    const app = application()
    have(app, ['diruser_0', 'diruser_1', 'diruser_2', 'diruser_gone'])
    const api = new TestApi(new TestDirectory('org_1', people(3)))
    api.beforePage = ({ kind }) => {
      if (kind === 'groups') throw new Error('not implemented')
    }
    const report = await syncOf(app, api).run()
    expect(report.outcome).toBe('incomplete')
    expect(app.history).toEqual(['deleted diruser_gone'])
  })

  test('a pass continues a killed pass, and begins with the directory that has waited longest', async () => {
    const app = application()
    const ids = ['org_1', 'org_2', 'org_3', 'org_4']
    const api = new TestApi(...ids.map((id, i) => new TestDirectory(id, people(2, i * 2))))
    const cancel = new AbortController()
    api.beforePage = ({ directory }) => {
      if (directory.organizationId === 'org_3') cancel.abort()
    }
    const options = { concurrency: { directories: 1 } }
    const report = await syncOf(app, api, options).run({ signal: cancel.signal })
    expect(report.outcome).toBe('cancelled')
    api.calls.length = 0
    api.beforePage = () => {}
    await syncOf(app, api, options).run()
    const order = [...new Set(api.calls.map(({ directory }) => directory.organizationId))]
    expect(order).toEqual(['org_3', 'org_4', 'org_1', 'org_2'])
  })
})

describe('the progress of a pass', () => {
  test('progress is reported after each page', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(70)))
    const seen: SyncProgress[] = []
    await syncOf(app, api).run({ onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)).toEqual({
      organizations: 1,
      directories: 1,
      directoriesDone: 1,
      seen: 70,
      totalSize: 70,
    })
    expect(seen.map((progress) => progress.seen)).toEqual([0, 0, 30, 60, 70, 70])
  })

  test('a pass ends early on the signal, after running handlers have ended', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(300)))
    const cancel = new AbortController()
    app.before = async () => {
      cancel.abort()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const report = await syncOf(app, api).run({ signal: cancel.signal })
    expect(report).toMatchObject({ outcome: 'cancelled', error: { name: 'AbortError' } })
    // Eight events run at a time. The report counts the events that had begun.
    expect(app.history.length).toBeGreaterThan(0)
    expect(app.history.length).toBeLessThanOrEqual(8)
    expect(report.totals.users.created).toBe(app.history.length)
    // The ended pass has released its lease.
    expect((await syncOf(app, api).run({ dryRun: true })).outcome).toBe('complete')
  })

  test.each([
    { waitsFor: 'the rows of `known`', options: { known: { users: neverEnding } } },
    { waitsFor: 'the list of organizations', options: { organizations: neverEnding } },
  ])('a pass ends early on the signal and on stop(), even if $waitsFor never arrive', async ({ options }) => {
    const app = application()
    const sync = syncOf(app, new TestApi(new TestDirectory('org_1', people(3))), options)
    const cancelled = sync.run({ signal: AbortSignal.timeout(20) })
    expect(await cancelled).toMatchObject({ outcome: 'cancelled', error: { name: 'TimeoutError' } })
    const stopped = sync.run()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await sync.stop()
    expect((await stopped).outcome).toBe('cancelled')
    expect(app.history).toEqual([])
  })

  test('a pass ends when the dispatcher is closed', async () => {
    const app = application()
    const api = new TestApi(new TestDirectory('org_1', people(300)))
    app.before = () => void app.dispatcher.close()
    const report = await syncOf(app, api).run()
    expect(report.outcome).toBe('cancelled')
    expect(report.totals.users.failed).toBe(0)
  })
})

describe('an event of a pass', () => {
  test('an event is retried if the store is unavailable for a moment', async () => {
    const app = application()
    const { begin } = app.dispatcher.ledger
    let away = 2
    app.dispatcher.ledger.begin = (request) => {
      if (away-- > 0) throw new StoreUnavailableError('away')
      return begin.call(app.dispatcher.ledger, request)
    }
    const report = await syncOf(app, new TestApi(new TestDirectory('org_1', people(1)))).run()
    expect(report.totals.users).toMatchObject({ created: 1, failed: 0 })
  })

  test('an event is retried after a lost lease', async () => {
    const app = application()
    loseCommits(app.dispatcher.ledger, 1)
    const report = await syncOf(app, new TestApi(new TestDirectory('org_1', people(1)))).run()
    expect(report.totals.users).toMatchObject({ created: 1, failed: 0 })
  })

  test('an event is retried only once after lost leases', async () => {
    const app = application()
    loseCommits(app.dispatcher.ledger, 2)
    const report = await syncOf(app, new TestApi(new TestDirectory('org_1', people(1)))).run()
    expect(report.totals.users).toMatchObject({ created: 0, failed: 1 })
  })

  test('an event that the handler drops is counted, and does not fail the pass', async () => {
    const app = application()
    app.before = () => {
      throw new DropEvent('seat-limit')
    }
    const report = await syncOf(app, new TestApi(new TestDirectory('org_1', people(2)))).run()
    expect(report).toMatchObject({ outcome: 'complete', totals: { users: { dropped: 2 } } })
  })
})

describe('the report', () => {
  test('the report can be formatted for people', async () => {
    const app = application()
    have(
      app,
      people(100).map(({ id }) => id),
    )
    const directory = new TestDirectory('org_1', people(40))
    const known = {
      users: ({ organizationId }: DirectoryRef) =>
        organizationId === 'org_1' ? app.known.users({ organizationId, id: directory.id }) : [],
    }
    const api = new TestApi(directory, new TestDirectory('org_2', []))
    const report = await syncOf(app, api, { known }).run()
    const approval = report.organizations[0]?.directories[0]?.held[0]?.approval
    const text = formatReport(report)
    expect(text).toContain('2 organizations (0 skipped), 2 directories, 0 errors, 0 retries')
    expect(text).toContain('users: 40 seen, 40 unchanged, 60 held')
    expect(text).toContain(
      `held: 60 users not listed any more. Reason: more than half of the records would be deleted within 30 days. To delete them: approve ${approval}`,
    )
  })

  test('the report and the logs contain no personal data after any failure', async () => {
    const app = application()
    const logger = recordingLogger()
    const directory = new TestDirectory('org_1', [{ id: 'diruser_0', title: 'Chief of Secrets' }])
    app.before = () => {
      throw new Error('cannot store diruser_0@example.com')
    }
    const api = new TestApi(directory, new TestDirectory('org_2', []))
    api.beforePage = ({ directory: { organizationId } }) => {
      if (organizationId === 'org_2') throw new Error('ada@example.com')
    }
    const report = await syncOf(app, api, { logger }).run()
    expect(JSON.stringify(report)).not.toMatch(/@example|Secrets/)
    expect(logger.text()).not.toMatch(/@example|Secrets/)
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(3)
  })

  test.each([
    { does: 'throws', fail: () => raise() },
    { does: 'rejects with', fail: async () => raise() },
  ])('onReport gets the report, and an error that a callback $does is ignored', async ({ fail }) => {
    const app = application()
    const heard: string[] = []
    const onReport = ({ outcome }: SyncReport) => {
      heard.push(outcome)
      return fail()
    }
    const sync = syncOf(app, new TestApi(new TestDirectory('org_1', people(1))), { onReport })
    const report = await sync.run({ onProgress: fail })
    expect(heard).toEqual(['complete'])
    expect(report.totals.users.created).toBe(1)
  })
})

function raise(): never {
  throw new Error('no')
}

/** Simulates a database that no longer answers. */
async function* neverEnding(): AsyncGenerator<never> {
  await new Promise(() => {})
}

function loseCommits(ledger: Ledger, times: number): void {
  const { commit } = ledger
  ledger.commit = async (claim, retention) => {
    if (times-- > 0) {
      await ledger.release(claim)
      return 'lost'
    }
    return commit.call(ledger, claim, retention)
  }
}

function row(id: string) {
  return {
    id,
    active: true,
    title: undefined,
    occurredAt: '2026-06-01T09:00:00.000000000Z',
    groupIds: [],
    deleted: false,
  }
}
