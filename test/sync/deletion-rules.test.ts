import { DropEvent, type Ledger, StoreUnavailableError } from '@scalekit-scim/core'
import {
  createDirectorySync,
  type DirectoryRef,
  type DirectoryReport,
  type DirectorySync,
  type DirectorySyncOptions,
  formatReport,
  type KnownRecord,
  type RunOptions,
} from '@scalekit-scim/core/sync'
import { createFakeClock, type FakeClock } from '@scalekit-scim/core/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { decideDeletions, type MissingRecord } from '../../packages/core/src/sync/deletions/decision.ts'
import { emptyHistory } from '../../packages/core/src/sync/deletions/deletion-state.ts'
import { earliestInstant } from '../../packages/core/src/sync/reading/records.ts'
import { type Application, application, have } from '../support/application.ts'
import { ledgerAround } from '../support/ledger-around.ts'
import { recordingLogger } from '../support/log.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

const dayMs = 86_400_000

/** A ledger in this process that behaves as a shared one. */
function sharedLedger(clock: FakeClock, own: (real: Ledger) => Partial<Ledger> = () => ({})): Ledger {
  const atomic = { message: 'atomic', order: 'atomic' } as const
  return ledgerAround((real) => ({ guarantee: atomic, ...own(real) }), clock).ledger
}

interface Scene {
  app: Application
  clock: FakeClock
  ledger: Ledger
  api: TestApi
  directory: TestDirectory
  /** Creates the sync of one process. Another sync represents another process. */
  sync(options?: Partial<DirectorySyncOptions>): DirectorySync
  /** Advances the clock by a day, and runs a full pass. */
  nextDay(options?: RunOptions): Promise<DirectoryReport>
}

/** Creates a directory whose users the application has, and runs a first pass. */
async function scene(
  count: number,
  options: Partial<DirectorySyncOptions> = {},
  own?: (real: Ledger) => Partial<Ledger>,
): Promise<Scene> {
  const clock = createFakeClock()
  const ledger = sharedLedger(clock, own)
  const app = application({ store: ledger, clock })
  const directory = new TestDirectory('org_1', people(count))
  const api = new TestApi(directory)
  have(
    app,
    directory.people.map(({ id }) => id),
  )
  const sync: Scene['sync'] = (own = {}) =>
    createDirectorySync({
      scalekit: api,
      dispatcher: app.dispatcher,
      organizations: 'all',
      known: app.known,
      logger: false,
      clock,
      ...options,
      ...own,
    })
  const nextDay: Scene['nextDay'] = async (run = {}) => {
    await clock.advance(dayMs)
    return only(await sync().run({ mode: 'full', ...run }))
  }
  await sync().run()
  return { app, clock, ledger, api, directory, sync, nextDay }
}

function only({ organizations }: { organizations: { directories: DirectoryReport[] }[] }): DirectoryReport {
  const [directory] = organizations[0]?.directories ?? []
  if (!directory) throw new Error('the report has no directory')
  return directory
}

function deletions({ history }: Application): string[] {
  return history.filter((line) => line.startsWith('deleted')).map((line) => line.slice(8))
}

function leave({ directory }: Scene, count: number): string[] {
  return directory.people.splice(0, count).map(({ id }) => id)
}

/** Sends a webhook for each user, with the current time. */
async function update({ app, clock }: Scene, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await app.dispatcher.dispatch({
      type: 'organization.directory.user_updated',
      id: `evt_${id}`,
      occurred_at: new Date(clock.now()).toISOString(),
      organization_id: 'org_1',
      data: { id, organization_id: 'org_1' },
    })
  }
}

/** `known` with the directory's users, and other rows of the application. */
function withRows(app: Application, rows: () => readonly KnownRecord[]) {
  return {
    users: () => [...app.live().map((id) => ({ id, occurredAt: app.users.get(id)?.occurredAt })), ...rows()],
  }
}

describe('records of `known` that did not come from the directory', () => {
  const own = ['usr_1', 'usr_2', 'usr_3'].map((id) => ({ id, occurredAt: '2026-01-01T09:00:00Z' }))

  test.each([5000, 40])(
    'foreign records are never deleted next to %i users of the directory, in several passes',
    async (count) => {
      const all = await scene(count)
      const known = withRows(all.app, () => own)
      for (let pass = 0; pass < 4; pass++) {
        await all.clock.advance(dayMs)
        const report = only(await all.sync({ known }).run({ mode: 'full' }))
        expect(report.error).toMatchObject({ code: 'ERR_SCIM_KNOWN_FOREIGN' })
        expect(report.error?.hint).toContain(
          '3 records (usr_1, usr_2, usr_3) that did not come from this directory',
        )
      }
      expect(deletions(all.app)).toEqual([])
    },
  )

  test('foreign records prevent deletions, and do not prevent creations', async () => {
    const all = await scene(40)
    leave(all, 1)
    all.directory.people.push({ id: 'diruser_new' })
    await all.clock.advance(dayMs)
    const known = withRows(all.app, () => own)
    const report = only(await all.sync({ known }).run({ mode: 'full' }))
    expect(report.users).toMatchObject({ created: 1, deleted: 0, held: 1 })
    expect(report.held).toMatchObject([{ reason: 'unsettled', count: 1 }])
    expect((await all.nextDay()).deleted.users.ids).toEqual(['diruser_0'])
  })

  test('foreign records do not make the passes full', async () => {
    const all = await scene(40)
    const sync = all.sync({ known: withRows(all.app, () => own) })
    const modes = [only(await sync.run({ mode: 'full' })).mode, only(await sync.run()).mode]
    expect(modes).toEqual(['full', 'incremental'])
  })

  test('foreign records are not in the message if their ids may be personal data', async () => {
    const all = await scene(40)
    const log = recordingLogger()
    const personal = [
      'ann@example.com',
      'erika-mustermann',
      'erika_mustermann',
      '4917612345678',
      '078-05-1120',
    ]
    const known = withRows(all.app, () => [...personal, 'usr_1'].map((id) => ({ id })))
    const report = await all.sync({ known, logger: log }).run({ mode: 'full' })
    expect(only(report).error?.hint).toContain('6 records (usr_1, …)')
    const said = JSON.stringify(report) + formatReport(report) + log.text()
    for (const id of personal) expect(said).not.toContain(id)
  })

  test('foreign records are recognized by their organization, if `known` yields it', async () => {
    const all = await scene(40)
    const known = withRows(all.app, () => [
      { id: 'diruser_other', occurredAt: null, organizationId: 'org_2' },
    ])
    const report = only(await all.sync({ known }).run({ mode: 'full' }))
    expect(report.error).toMatchObject({ code: 'ERR_SCIM_KNOWN_FOREIGN' })
    expect(report).toMatchObject({ held: [], users: { held: 0, deleted: 0 } })
  })

  test('foreign records prevent deletions even if they have an `organizationId`', async () => {
    const all = await scene(40)
    leave(all, 1)
    await all.clock.advance(dayMs)
    const known = withRows(all.app, () => [{ id: 'diruser_other', organizationId: 'org_2' }])
    const report = only(await all.sync({ known }).run({ mode: 'full' }))
    expect(report.held).toMatchObject([{ reason: 'unsettled', count: 1 }])
    expect(deletions(all.app)).toEqual([])
  })

  test('foreign records are reported if `known` yields nothing else', async () => {
    const all = await scene(40)
    const known = { users: () => [{ id: 'diruser_other', organizationId: 'org_2' }] }
    const report = only(await all.sync({ known }).run({ mode: 'full' }))
    expect(report.error).toMatchObject({ code: 'ERR_SCIM_KNOWN_FOREIGN' })
    expect(report.users).toMatchObject({ created: 40, deleted: 0, held: 0 })
  })

  test('foreign records are not recognized if their ids look like those that the directory lists', async () => {
    const all = await scene(40)
    all.directory.people = people(40).map((person) => ({
      ...person,
      id: person.id.replace('diruser_', 'usr_'),
    }))
    const gone = all.directory.people.pop()
    const known = {
      users: () =>
        own.concat(people(40).map(({ id }) => ({ ...own[0], id: id.replace('diruser_', 'usr_') }) as never)),
    }
    const report = only(await all.sync({ known }).run({ mode: 'full' }))
    expect(report.error).toBeUndefined()
    expect(report.deleted.users.ids).toEqual([gone?.id])
  })

  test('foreign records are found in both organizations if `known` ignores the organization', async () => {
    const all = await scene(40)
    const other = new TestDirectory('org_2', people(3, 40))
    all.api.directories.push(other)
    have(
      all.app,
      other.people.map(({ id }) => id),
    )
    for (let pass = 0; pass < 3; pass++) {
      await all.clock.advance(dayMs)
      const report = await all.sync().run({ mode: 'full' })
      const errors = report.organizations.map(
        (organization) => only({ organizations: [organization] }).error?.code,
      )
      expect(errors).toEqual(['ERR_SCIM_KNOWN_FOREIGN', 'ERR_SCIM_KNOWN_FOREIGN'])
    }
    expect(deletions(all.app)).toEqual([])
  })

  test('foreign records also prevent deletions in later passes without the other organization', async () => {
    const all = await scene(40)
    const other = new TestDirectory('org_2', people(3, 40))
    all.api.directories.push(other)
    have(
      all.app,
      other.people.map(({ id }) => id),
    )
    await all.nextDay()
    have(all.app, ['diruser_43'])
    other.people.push({ id: 'diruser_43', active: true })
    const failing = (asked: DirectoryRef) => {
      if (asked.organizationId === 'org_2') throw new Error('the database failed once')
      return all.app.known.users(asked)
    }
    const later = [
      async () => all.nextDay({ organizations: ['org_1'] }),
      async () => only(await all.sync({ known: { users: failing } }).run({ mode: 'full' })),
      async () => {
        other.enabled = false
        return all.nextDay()
      },
    ]
    for (const pass of later) {
      const report = await pass()
      expect(report.error).toMatchObject({ code: 'ERR_SCIM_KNOWN_FOREIGN' })
      expect(report.error?.hint).toContain('in an earlier pass')
    }
    expect(deletions(all.app)).toEqual([])

    // After 30 days, the sync no longer counts the other organization. The API still lists that organization's users.
    await all.clock.advance(29 * dayMs)
    for (let day = 0; day < 3; day++) await all.nextDay()
    expect((await all.nextDay()).held).toMatchObject([{ reason: 'no-history', count: 4 }])
    expect(deletions(all.app)).toEqual([])

    other.enabled = true
    const own = {
      users: ({ organizationId }: DirectoryRef) =>
        all.app
          .live()
          .filter((id) => Number(id.slice(8)) < 40 === (organizationId === 'org_1'))
          .map((id) => ({ id, occurredAt: all.app.users.get(id)?.occurredAt })),
    }
    leave(all, 1)
    await all.clock.advance(dayMs)
    const fixed = await all.sync({ known: own }).run({ mode: 'full' })
    expect(fixed.totals).toMatchObject({ errors: 0, users: { deleted: 1 } })
  })
})

test('a record without time and directory is held as no-origin, even after it gets a time', async () => {
  const all = await scene(40)
  const [gone] = leave(all, 1)
  let occurredAt: string | null = null
  const known = { users: () => all.app.live().map((id) => ({ id, occurredAt })) }
  expect(only(await all.sync({ known }).run({ mode: 'full' })).held).toMatchObject([
    { reason: 'no-origin', count: 1, ids: [gone], approval: expect.any(String) },
  ])
  occurredAt = '2026-06-01T09:00:00Z'
  expect(only(await all.sync({ known }).run({ mode: 'full' })).held).toMatchObject([{ reason: 'no-origin' }])
  expect(deletions(all.app)).toEqual([])
})

describe('the state of deletions', () => {
  const failing = (verb: 'read' | 'compareAndSet') => (real: Ledger) => ({
    record: (name: string) => ({
      read: () => real.record(name).read(),
      compareAndSet: real.record(name).compareAndSet,
      ...(name.startsWith('deletions:') && isDown
        ? { [verb]: () => Promise.reject(new StoreUnavailableError('the store is away')) }
        : {}),
    }),
  })
  let isDown = false

  test.each(['read', 'compareAndSet'] as const)(
    'the state of deletions prevents deletions if the store fails to %s it',
    async (verb) => {
      const all = await scene(40, {}, failing(verb))
      onTestFinished(() => {
        isDown = false
      })
      isDown = true
      leave(all, 1)
      const running = all.nextDay()
      for (let second = 0; second < 60; second++) await all.clock.advance(1000)
      const report = await running
      expect(report.error).toMatchObject({ name: 'StoreUnavailableError' })
      expect(deletions(all.app)).toEqual([])
      isDown = false
      expect((await all.nextDay()).users.deleted).toBe(1)
    },
  )

  test('the state of deletions prevents deletions if another process writes it during the pass', async () => {
    let isRaced = false
    const all = await scene(40, {}, (real) => ({
      record: (name: string) => {
        const record = real.record(name)
        if (name !== 'deletions:user:org_1') return record
        const read = async () => {
          const text = await record.read()
          if (isRaced) await record.compareAndSet(text, text?.replace('"writer":"', '"writer":"other'), 1e6)
          isRaced = false
          return text
        }
        return { ...record, read, compareAndSet: record.compareAndSet }
      },
    }))
    leave(all, 1)
    isRaced = true
    expect((await all.nextDay()).error).toMatchObject({ code: 'ERR_SCIM_LEASE_LOST' })
    expect(deletions(all.app)).toEqual([])
    expect((await all.nextDay()).users.deleted).toBe(1)
  })

  test("the state of deletions is written if only the store's answer was lost", async () => {
    let isLost = false
    const all = await scene(40, {}, (real) => ({
      record: (name: string) => {
        const record = real.record(name)
        if (name !== 'deletions:user:org_1') return record
        const compareAndSet: typeof record.compareAndSet = async (...change) => {
          const isSet = await record.compareAndSet(...change)
          if (!isLost) return isSet
          isLost = false
          throw new StoreUnavailableError('the connection broke')
        }
        return { ...record, read: () => record.read(), compareAndSet }
      },
    }))
    leave(all, 1)
    isLost = true
    const running = all.nextDay()
    for (let second = 0; second < 10; second++) await all.clock.advance(1000)
    expect(await running).toMatchObject({ users: { deleted: 1 } })
    expect((await running).error).toBeUndefined()
  })

  test('the state of deletions prevents deletions if another version has written it', async () => {
    const all = await scene(40)
    const record = all.ledger.record('deletions:user:org_1')
    const text = String(await record.read()).replace('"version":1', '"version":2')
    await record.compareAndSet(await record.read(), text, 1e6)
    leave(all, 1)
    expect((await all.nextDay()).error).toMatchObject({ code: 'ERR_SCIM_STATE_UNREADABLE' })
    expect(deletions(all.app)).toEqual([])
  })

  test('the state of deletions counts all planned deletions of a killed process', async () => {
    const all = await scene(200)
    leave(all, 20)
    const ending = new AbortController()
    all.app.before = () => ending.abort()
    expect((await all.nextDay({ signal: ending.signal })).deleted.users.count).toBeLessThan(20)
    all.app.before = () => {}
    // The limit already counts twenty deletions of the day, so all other deletions are over the limit.
    expect(only(await all.sync().run({ mode: 'full' })).held).toMatchObject([{ reason: 'over-limit' }])
  })

  test('the state of deletions does not count deletions that had no effect', async () => {
    const all = await scene(200)
    leave(all, 20)
    all.app.before = () => {
      throw new Error('no')
    }
    expect((await all.nextDay()).users).toMatchObject({ failed: 20, deleted: 0 })
    all.app.before = () => {}
    expect(only(await all.sync().run({ mode: 'full' })).users).toMatchObject({ deleted: 20, held: 0 })
  })
})

describe('the limits', () => {
  test('the limits count a deletion whose handler failed, because it may have had its effect', async () => {
    const all = await scene(200)
    all.app.before = () => {
      throw new Error('no')
    }
    for (let hour = 0; hour < 5; hour++) {
      leave(all, 10)
      await all.clock.advance(3_600_000)
      await all.sync().run({ mode: 'full' })
    }
    const report = only(await all.sync().run({ mode: 'full' }))
    // Each pass retries the first twenty deletions. Each group of ten later deletions has its own batch.
    expect(report.failed.users.count).toBe(20)
    expect(report.held).toMatchObject([10, 10, 10].map((count) => ({ reason: 'over-limit', count })))
  })

  test('the limits count a deletion whose handler dropped it, because it may have had its effect', async () => {
    const all = await scene(200)
    all.app.before = (event) => {
      const row = 'id' in event.data && all.app.users.get(String(event.data.id))
      if (row) row.deleted = true
      throw new DropEvent('the account is deleted, the mail could not be sent')
    }
    leave(all, 20)
    expect((await all.nextDay()).users).toMatchObject({ dropped: 20, held: 0 })
    leave(all, 1)
    expect(only(await all.sync().run({ mode: 'full' })).held).toMatchObject([{ reason: 'over-limit' }])
  })

  test('the limits count a deletion once, even if a pass in between could not decide', async () => {
    const all = await scene(200)
    leave(all, 20)
    all.app.before = () => {
      throw new Error('no')
    }
    expect((await all.nextDay()).users).toMatchObject({ failed: 20 })
    all.app.before = () => {}
    all.api.bend = (page) => ({ ...page, totalSize: 1 })
    const unsettled = only(await all.sync().run({ mode: 'full' }))
    expect(unsettled.held).toMatchObject([{ reason: 'unsettled', count: 20 }])
    all.api.bend = (page) => page
    expect(only(await all.sync().run({ mode: 'full' })).users).toMatchObject({ deleted: 20, held: 0 })
  })

  test('the limits do not count a deletion that is stale after a newer event', async () => {
    const all = await scene(200)
    const gone = leave(all, 20)
    await all.clock.advance(dayMs)
    let isUpdated = false
    const known = {
      users: async () => {
        if (!isUpdated) await update(all, gone)
        isUpdated = true
        return all.app.live().map((id) => ({ id, occurredAt: '2026-06-01T09:00:00Z' }))
      },
    }
    const sync = all.sync({ known })
    expect(only(await sync.run({ mode: 'full' })).users).toMatchObject({ stale: 20, deleted: 0 })
    await all.clock.advance(120_000)
    expect(only(await sync.run({ mode: 'full' })).users).toMatchObject({ deleted: 20, held: 0 })
  })

  test('unlisted rows, such as tombstones in `known`, do not raise the limits', async () => {
    const all = await scene(200)
    const tombstones = people(5000, 200).map(({ id }) => ({ id, occurredAt: '2026-01-01T09:00:00Z' }))
    const sync = all.sync({ known: withRows(all.app, () => tombstones) })
    for (let pass = 0; pass < 2; pass++) {
      await all.clock.advance(dayMs)
      expect(only(await sync.run({ mode: 'full' })).held).toMatchObject([
        { reason: 'over-half', count: 5000 },
      ])
    }
    leave(all, 25)
    await all.clock.advance(dayMs)
    expect(only(await sync.run({ mode: 'full' })).held).toMatchObject([
      { count: 5000 },
      { reason: 'over-limit', count: 25 },
    ])
    expect(deletions(all.app)).toEqual([])
  })

  test('the limits apply to a day: five consecutive passes delete 20 of 200 users, not 75', async () => {
    const all = await scene(200)
    for (let pass = 0; pass < 5; pass++) {
      leave(all, 15)
      await all.sync().run({ mode: 'full' })
      await all.clock.advance(3_600_000)
    }
    expect(deletions(all.app)).toHaveLength(15)
    const report = only(await all.sync().run({ mode: 'full' }))
    expect(report.held).toMatchObject([15, 15, 15, 15].map((count) => ({ reason: 'over-limit', count })))
  })

  test('the limits apply to 24 hours', async () => {
    const all = await scene(200)
    const pass = async (hours: number, leavers: number) => {
      await all.clock.advance(hours * 3_600_000)
      leave(all, leavers)
      return only(await all.sync().run({ mode: 'full' })).users
    }
    expect(await pass(1, 15)).toMatchObject({ deleted: 15, held: 0 })
    expect(await pass(23, 15)).toMatchObject({ deleted: 0, held: 15 })
    expect(await pass(2, 15)).toMatchObject({ deleted: 15, held: 15 })
  })

  test('the limits allow 6 % of the users to leave in a week at 1 % a day', async () => {
    const all = await scene(1000)
    for (let day = 0; day < 6; day++) {
      leave(all, 10)
      expect((await all.nextDay()).users).toMatchObject({ deleted: 10, held: 0 })
    }
  })

  test('the limits hold 6 % in a day once, and do not block the next user who leaves', async () => {
    const all = await scene(1000)
    leave(all, 60)
    const [held] = (await all.nextDay()).held
    expect(held).toMatchObject({ reason: 'over-limit', count: 60 })
    leave(all, 1)
    expect((await all.nextDay()).users).toMatchObject({ deleted: 1, held: 60 })
    expect((await all.nextDay({ approve: [String(held?.approval)] })).users).toMatchObject({
      deleted: 60,
      held: 0,
    })
    // Approved deletions do not count.
    leave(all, 49)
    expect((await all.nextDay()).users).toMatchObject({ deleted: 49, held: 0 })
  })

  test('the limits stop slow deletions at 20 % of the earlier users in 30 days', async () => {
    const all = await scene(1000)
    for (let day = 0; day < 29; day++) {
      leave(all, 12)
      await all.nextDay()
    }
    expect(deletions(all.app).length).toBeLessThanOrEqual(200)
    expect(deletions(all.app).length).toBeGreaterThan(180)
  })

  test('the limits hold deletions of over half of the records in 30 days, even of few records', async () => {
    const all = await scene(10)
    for (let day = 0; day < 5; day++) {
      leave(all, 1)
      expect((await all.nextDay()).users).toMatchObject({ deleted: 1, held: 0 })
    }
    leave(all, 1)
    expect((await all.nextDay()).held).toMatchObject([{ reason: 'over-half', count: 1 }])
  })

  test('the limits do not hold deactivations, and report many of them', async () => {
    const log = recordingLogger()
    const all = await scene(100, { logger: log })
    const now = all.clock.now()
    for (const person of all.directory.people.slice(0, 30))
      Object.assign(person, { active: false, updatedAtMs: now })
    const report = await all.nextDay()
    expect(report.users).toMatchObject({ updated: 30, held: 0 })
    expect(report.deactivated).toMatchObject({ count: 30, overLimits: true })
    expect(log.lines.filter(({ fields }) => fields.deactivated === 30)).toMatchObject([{ level: 'warn' }])
  })
})

test('a directory that moves to another organization does not block deletions in its former one', async () => {
  const all = await scene(5)
  const moving = new TestDirectory('org_1', people(3, 5), 'dir_moving')
  const other = new TestDirectory('org_2', people(5, 8), 'dir_other')
  all.api.directories.push(moving, other)
  const rows = [all.directory, moving, other].flatMap(({ id, organizationId, people }) =>
    people.map((person) => ({
      id: person.id,
      occurredAt: '2026-06-01T09:00:00Z',
      directoryId: id,
      organizationId,
    })),
  )
  const known = {
    users: (asked: DirectoryRef) =>
      rows.filter(({ organizationId }) => organizationId === asked.organizationId),
  }
  const sync = all.sync({ known })
  await sync.run({ mode: 'full' })
  Object.assign(moving, { organizationId: 'org_2' })
  rows.push(
    ...rows
      .filter(({ directoryId }) => directoryId === 'dir_moving')
      .map((row) => ({ ...row, organizationId: 'org_2' })),
  )
  const [gone] = leave(all, 1)
  await all.clock.advance(dayMs)
  const report = await sync.run({ mode: 'full' })
  expect(report.totals.errors).toBe(0)
  expect(only(report)).toMatchObject({
    deleted: { users: { ids: [gone] } },
    held: [{ reason: 'directory-removed', count: 3 }],
  })
})

test('if the API always lists a user twice, three passes are full, and no more', async () => {
  const all = await scene(100)
  const [twice] = all.directory.people
  if (twice) all.directory.people.push(twice)
  all.directory.people.splice(50, 1)
  const sync = all.sync()
  const modes: string[] = []
  for (let hour = 0; hour < 6; hour++) {
    await all.clock.advance(3_600_000)
    modes.push(only(await sync.run()).mode)
  }
  expect(modes).toEqual(['full', 'full', 'full', 'incremental', 'incremental', 'incremental'])
})

test('a process that was suspended for longer than its lease does not retry a deletion', async () => {
  let stoppedMs = 0
  let failures = 0
  const all = await scene(100, {}, (real) => ({
    begin: async (request) => {
      if (failures++ > 0) return real.begin(request)
      // The process is suspended here, with its timers.
      stoppedMs = 600_000
      throw new StoreUnavailableError('the store is away')
    },
  }))
  leave(all, 1)
  const clock = { ...all.clock, monotonic: () => all.clock.monotonic() + stoppedMs }
  await all.clock.advance(dayMs)
  const running = all.sync({ clock }).run({ mode: 'full' })
  await all.clock.advance(2000)
  const report = await running
  expect(report).toMatchObject({ outcome: 'incomplete', error: { code: 'ERR_SCIM_LEASE_LOST' } })
  expect(deletions(all.app)).toEqual([])
})

describe('a held deletion', () => {
  test('a held deletion stays held when a limit is raised', async () => {
    const all = await scene(100)
    leave(all, 30)
    await all.nextDay()
    const wide = all.sync({ deletions: { maxCount: 1000, maxShare: 1 } })
    expect(only(await wide.run({ mode: 'full' })).held).toMatchObject([{ reason: 'over-limit', count: 30 }])
    expect(deletions(all.app)).toEqual([])
  })

  test('a held deletion stays held if `known` does not yield it in one pass', async () => {
    const all = await scene(100)
    const gone = leave(all, 30)
    const [held] = (await all.nextDay()).held
    const some = {
      users: () =>
        all.app
          .live()
          .filter((id) => !gone.includes(id))
          .map((id) => ({ id })),
    }
    expect(only(await all.sync({ known: some }).run({ mode: 'full' })).held).toEqual([])
    expect((await all.nextDay()).held).toEqual([held])
  })

  test("a held deletion stays held if `known` yields a newer time, which may be the row's", async () => {
    const all = await scene(100)
    const gone = leave(all, 30)
    const [held] = (await all.nextDay()).held
    have(all.app, gone.slice(0, 2), new Date(all.clock.now() + dayMs / 2).toISOString())
    expect((await all.nextDay()).held).toEqual([held])
    expect(deletions(all.app)).toEqual([])
  })

  test('a held deletion is released when the record is listed again, and is a new deletion when it leaves again', async () => {
    const all = await scene(100)
    const held = all.directory.people.slice(0, 30)
    leave(all, 30)
    await all.nextDay()
    all.directory.people.unshift(...held.slice(0, 2))
    expect(await all.nextDay()).toMatchObject({ returned: [{ count: 2 }], held: [{ count: 28 }] })
    const again = leave(all, 2)
    const report = await all.nextDay()
    expect(report).toMatchObject({ returned: [], held: [{ count: 28 }], deleted: { users: { ids: again } } })
  })

  test('a held deletion is discarded 90 days after `known` last yielded it', async () => {
    const all = await scene(100)
    const gone = leave(all, 30)
    await all.nextDay()
    const rows = gone.map((id) => all.app.users.get(id))
    for (const id of gone) all.app.users.delete(id)
    for (let month = 0; month < 3; month++) {
      await all.clock.advance(29 * dayMs)
      await all.nextDay()
    }
    await all.nextDay()
    for (const row of rows) if (row) all.app.users.set(row.id, row)
    const report = await all.nextDay()
    // A new decision holds the deletion again, since this pass.
    expect(report.held).toMatchObject([
      { count: 30, heldSince: new Date(all.clock.now()).toISOString().replace('Z', '000000Z') },
    ])
  })

  test('a held deletion stays stored while `known` yields its record, and for one pass without it', async () => {
    const all = await scene(100)
    const gone = leave(all, 30)
    const [held] = (await all.nextDay()).held
    for (let month = 0; month < 4; month++) {
      await all.clock.advance(29 * dayMs)
      await all.nextDay()
    }
    const some = {
      users: () =>
        all.app
          .live()
          .filter((id) => !gone.includes(id))
          .map((id) => ({ id })),
    }
    await all.sync({ known: some }).run({ mode: 'full' })
    expect((await all.nextDay()).held).toEqual([held])
  })

  test('a held deletion is not discarded if no pass has run for a long time', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    await all.clock.advance(100 * dayMs)
    expect((await all.nextDay()).held).toEqual([held])
  })

  test('a held deletion is in the report of an incremental pass, too', async () => {
    const all = await scene(100)
    leave(all, 30)
    const { held } = await all.nextDay()
    expect(only(await all.sync().run({ mode: 'incremental' }))).toMatchObject({ mode: 'incremental', held })
  })

  test('the report has the first thousand ids of a larger batch of held deletions', async () => {
    const all = await scene(5000)
    leave(all, 2500)
    const [held] = (await all.nextDay()).held
    expect(held).toMatchObject({ count: 2500 })
    expect(held?.ids).toHaveLength(1000)
    const report = await all.nextDay({ approve: [String(held?.approval)] })
    expect(report.deleted.users.count).toBe(2500)
    expect(report.deleted.users.ids).toHaveLength(1000)
  })

  test('a held deletion leaves nothing in the store after it is applied', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    const state = JSON.parse(String(await all.ledger.record('deletions:user:org_1').read()))
    const chunk = all.ledger.record(`deletions:user:org_1:${state.batches[0].revision}:0`)
    expect(JSON.parse(String(await chunk.read()))).toHaveLength(30)
    await all.nextDay({ approve: [String(held?.approval)] })
    expect(await chunk.read()).toBeUndefined()
  })

  test('200,000 deletions among 250,000 users are held, and can be approved together', () => {
    const many = Array.from({ length: 250_000 }, (_, index) => `diruser_${index}`)
    const missing: MissingRecord[] = many.slice(0, 200_000).map((id) => ({
      id,
      place: 'own',
      hasOrigin: true,
      occurredAt: 1n,
      batch: undefined,
    }))
    const walk = { unique: 50_000, totalSize: 50_000, short: false }
    const judged = (approvals: readonly string[], limits = { maxCount: 20, maxShare: 0.05 }) =>
      decideDeletions(
        {
          directory: { organizationId: 'org_1', id: 'dir_1' },
          kind: 'user',
          now: '1767603600000000000',
          missing,
          history: emptyHistory(),
          base: limits.maxCount === 20 ? many.length : 1e6,
          from: earliestInstant,
          walks: [walk, walk],
          isSettled: true,
          enabled: true,
          foreign: false,
          siblingsRead: true,
        },
        limits,
        new Set(approvals),
      )
    const [held] = judged([]).held
    expect(held?.ids).toHaveLength(200_000)
    expect(judged([String(held?.batch?.approval)]).approved).toHaveLength(200_000)
    expect(judged([], { maxCount: 1e6, maxShare: 1 }).unapproved).toHaveLength(200_000)
  })

  test.each(['atomic', 'process'] as const)(
    'a held deletion is held again as no-history if the store (%s) lost a part of its batch',
    async (message) => {
      const all = await scene(100, {}, () => ({ guarantee: { message, order: message } }))
      leave(all, 30)
      await all.nextDay()
      const state = JSON.parse(String(await all.ledger.record('deletions:user:org_1').read()))
      const chunk = all.ledger.record(`deletions:user:org_1:${state.batches[0].revision}:0`)
      expect(await chunk.compareAndSet(await chunk.read(), undefined, 1)).toBe(true)
      expect((await all.nextDay()).held).toMatchObject([{ reason: 'no-history', count: 30 }])
      expect(deletions(all.app)).toEqual([])
    },
  )
})

describe('an approval', () => {
  test('an approval is valid for 7 days, so a failed handler is retried without another approval', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    all.app.before = () => {
      throw new Error('no')
    }
    const approval = String(held?.approval)
    expect((await all.nextDay({ approve: [approval] })).users).toMatchObject({ failed: 30 })
    await all.clock.advance(5 * dayMs)
    all.app.before = () => {}
    expect((await all.nextDay()).users).toMatchObject({ deleted: 30, held: 0 })
  })

  test('an approval has no effect after 7 days', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    all.app.before = () => {
      throw new Error('no')
    }
    await all.nextDay({ approve: [String(held?.approval)] })
    all.app.before = () => {}
    await all.clock.advance(7 * dayMs)
    expect((await all.nextDay()).held).toEqual([held])
    expect(deletions(all.app)).toEqual([])
  })

  test('an approval from a dry run is valid, and the dry run itself changes nothing', async () => {
    const all = await scene(100)
    leave(all, 30)
    const before = await all.ledger.record('deletions:user:org_1').read()
    const [held] = (await all.nextDay({ dryRun: true })).held
    expect(held).toMatchObject({ reason: 'over-limit', count: 30 })
    expect(await all.ledger.record('deletions:user:org_1').read()).toBe(before)
    const dry = await all.nextDay({ dryRun: true, approve: [String(held?.approval)] })
    expect(dry.deleted.users.count).toBe(30)
    expect(deletions(all.app)).toEqual([])
    const report = await all.nextDay({ approve: [String(held?.approval)] })
    expect(report.users).toMatchObject({ deleted: 30, held: 0 })
  })

  test('an approval from a dry run does not count towards the limits either', async () => {
    const all = await scene(1000)
    leave(all, 60)
    const [held] = (await all.nextDay({ dryRun: true })).held
    const report = await all.nextDay({ approve: [String(held?.approval)] })
    expect(report.users).toMatchObject({ deleted: 60, held: 0 })
    leave(all, 49)
    expect((await all.nextDay()).users).toMatchObject({ deleted: 49, held: 0 })
  })

  test('an approval does not apply after a newer event of the user: the next pass decides again', async () => {
    const all = await scene(100)
    const gone = leave(all, 30)
    const [held] = (await all.nextDay()).held
    await all.clock.advance(dayMs)
    const [updated = ''] = gone
    const known = {
      users: async () => {
        await update(all, [updated])
        return all.app.live().map((id) => ({ id, occurredAt: '2026-06-01T09:00:00Z' }))
      },
    }
    const report = only(await all.sync({ known }).run({ approve: [String(held?.approval)] }))
    expect(report.users).toMatchObject({ stale: 1, deleted: 29 })
    // The approval has expired.
    await all.clock.advance(8 * dayMs)
    expect((await all.nextDay()).deleted.users.ids).toEqual([updated])
  })

  test('an approval from a dry run, or a used one, matches nothing a week later', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay({ dryRun: true })).held
    await all.clock.advance(8 * dayMs)
    const report = await all.sync().run({ approve: [String(held?.approval)] })
    expect(report).toMatchObject({
      totals: { users: { deleted: 0, held: 30 } },
      unusedApprovals: [held?.approval],
    })
  })

  test('an approval is not used up while `known` yields nothing, and its batch stays in the report', async () => {
    const all = await scene(100)
    leave(all, 30)
    const { held } = await all.nextDay()
    const approval = String(held[0]?.approval)
    const empty = await all.sync({ known: { users: () => [] } }).run({ approve: [approval] })
    expect(empty.unusedApprovals).toEqual([approval])
    expect(only(empty).held).toEqual(held)
    expect((await all.nextDay()).held).toEqual(held)
  })

  test('an approval is in the report while the directory prevents its use', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    all.api.bend = (page) => ({ ...page, totalSize: 1 })
    await all.nextDay({ approve: [String(held?.approval)] })
    const report = await all.sync().run({ mode: 'incremental' })
    const approvedUntil = new Date(all.clock.now() + 7 * dayMs).toISOString().replace('Z', '000000Z')
    expect(only(report).held).toMatchObject([{ ...held, approvedUntil }])
    expect(formatReport(report)).toContain(`Approved until ${approvedUntil}: the next full pass deletes them`)
  })

  test('if only the last write failed, deleted users are not reported as held', async () => {
    let isDown = false
    const all = await scene(100, {}, (real) => ({
      record: (name) => {
        const record = real.record(name)
        if (!isDown || !name.startsWith('deletions:')) return record
        return {
          ...record,
          read: () => record.read(),
          compareAndSet: () => Promise.reject(new Error('gone away')),
        }
      },
    }))
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    all.app.before = () => {
      isDown = true
    }
    const running = all.nextDay({ approve: [String(held?.approval)] })
    for (let second = 0; second < 30; second++) await all.clock.advance(1000)
    expect((await running).deleted.users.count).toBe(30)
    isDown = false
    expect(only(await all.sync().run({ mode: 'incremental' })).held).toEqual([])
    expect((await all.nextDay()).held).toEqual([])
  })

  test('an approval that was given while the directory was unsettled stays valid', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    all.api.bend = (page) => ({ ...page, totalSize: 1 })
    const unsettled = await all.nextDay({ approve: [String(held?.approval)] })
    expect(unsettled.users.deleted).toBe(0)
    all.api.bend = (page) => page
    expect((await all.nextDay()).users.deleted).toBe(30)
  })

  test('an approval that has not been used makes the next pass full', async () => {
    const all = await scene(100)
    leave(all, 30)
    const [held] = (await all.nextDay()).held
    const sync = all.sync()
    all.api.bend = (page, { kind }) => (kind === 'users' ? { ...page, totalSize: 1 } : page)
    await sync.run({ approve: [String(held?.approval)] })
    all.api.bend = (page) => page
    expect(only(await sync.run())).toMatchObject({ mode: 'full', users: { deleted: 30 } })
    expect(only(await sync.run()).mode).toBe('incremental')
  })
})

describe('without a history', () => {
  test('a shared store holds all deletions of the first pass, and then only old ones', async () => {
    const all = await scene(100)
    const other = sharedLedger(all.clock)
    const app = application({ store: other, clock: all.clock })
    have(app, [...all.app.users.keys()])
    const [first] = leave(all, 1)
    const sync = all.sync({ dispatcher: app.dispatcher, known: app.known })
    expect(only(await sync.run()).held).toMatchObject([{ reason: 'no-history', ids: [first] }])
    const [second] = leave(all, 1)
    const report = only(await sync.run({ mode: 'full' }))
    expect(report.deleted.users.ids).toEqual([second])
    expect(report.held).toMatchObject([{ reason: 'no-history', ids: [first] }])
  })

  test('a first pass that could not decide leaves the decision to the next pass, which also holds', async () => {
    const all = await scene(100)
    const store = sharedLedger(all.clock)
    const app = application({ store, clock: all.clock })
    have(app, [...all.app.users.keys()])
    const gone = leave(all, 15)
    const sync = all.sync({ dispatcher: app.dispatcher, known: app.known })
    all.api.beforePage = ({ kind, number }) => {
      // A user joins during the second walk.
      if (kind === 'users' && number === 8) all.directory.people.push({ id: 'diruser_new' })
    }
    expect(only(await sync.run({ mode: 'full' })).held).toMatchObject([{ reason: 'unsettled', count: 15 }])
    expect(only(await sync.run({ mode: 'full' })).held).toMatchObject([{ reason: 'no-history', count: 15 }])
    expect(deletions(app)).toEqual([])
    expect(gone).toHaveLength(15)
  })

  test('a first pass with foreign records does not begin a history', async () => {
    const all = await scene(40)
    const store = sharedLedger(all.clock)
    const app = application({ store, clock: all.clock })
    have(app, [...all.app.users.keys()])
    const sync = (known: DirectorySyncOptions['known']) => all.sync({ dispatcher: app.dispatcher, known })
    const foreign = withRows(app, () => [{ id: 'diruser_other', organizationId: 'org_2' }])
    expect((await sync(foreign).run()).totals).toMatchObject({ errors: 1, users: { held: 0 } })
    leave(all, 1)
    const report = only(await sync(app.known).run({ mode: 'full' }))
    expect(report.held).toMatchObject([{ reason: 'no-history', count: 1 }])
  })

  test('a store without atomic claims, which may be shared, holds deletions, too', async () => {
    const clock = createFakeClock()
    const guarantee = { message: 'best-effort', order: 'best-effort' } as const
    const { ledger } = ledgerAround(() => ({ guarantee }), clock)
    const app = application({ store: ledger, clock })
    have(
      app,
      people(100).map(({ id }) => id),
    )
    const report = await createDirectorySync({
      scalekit: new TestApi(new TestDirectory('org_1', people(99))),
      dispatcher: app.dispatcher,
      organizations: 'all',
      known: app.known,
      logger: false,
      clock,
    }).run()
    expect(only(report).held).toMatchObject([{ reason: 'no-history', count: 1 }])
  })

  test('an empty application has a history of the records from its first pass', async () => {
    const all = await scene(0)
    all.directory.people = people(10)
    await all.nextDay()
    leave(all, 1)
    expect((await all.nextDay()).deleted.users.ids).toEqual(['diruser_0'])
  })

  test('an empty `known` does not begin a history for older records, because it may be wrong', async () => {
    const all = await scene(100)
    const store = sharedLedger(all.clock)
    const app = application({ store, clock: all.clock })
    have(app, [...all.app.users.keys()])
    leave(all, 15)
    const sync = (known: DirectorySyncOptions['known']) => all.sync({ dispatcher: app.dispatcher, known })
    await sync({ users: () => [] }).run({ mode: 'full' })
    const report = only(await sync(app.known).run({ mode: 'full' }))
    expect(report.held).toMatchObject([{ reason: 'no-history', count: 15 }])
  })

  test('an empty `known` does not begin one in an organization with several directories either', async () => {
    const all = await scene(100)
    const second = new TestDirectory('org_1', people(10, 100), 'dir_second')
    all.api.directories.push(second)
    const rows = [all.directory, second].flatMap(({ id, people }) =>
      people.map((person) => ({ id: person.id, occurredAt: '2026-06-01T09:00:00Z', directoryId: id })),
    )
    leave(all, 15)
    const app = application({ store: sharedLedger(all.clock), clock: all.clock })
    const sync = (known: DirectorySyncOptions['known']) => all.sync({ dispatcher: app.dispatcher, known })
    await sync({ users: () => [] }).run({ mode: 'full' })
    const report = await sync({ users: () => rows }).run({ mode: 'full' })
    const held = report.organizations.flatMap(({ directories }) => directories.flatMap(({ held }) => held))
    expect(held).toMatchObject([{ reason: 'no-history', count: 15 }])
    expect(deletions(app)).toEqual([])
  })

  test('a ledger of one process deletes within the limits from its first pass on', async () => {
    const app = application()
    const directory = new TestDirectory('org_1', people(99))
    have(
      app,
      people(100).map(({ id }) => id),
    )
    const report = await createDirectorySync({
      scalekit: new TestApi(directory),
      dispatcher: app.dispatcher,
      organizations: 'all',
      known: app.known,
      logger: false,
    }).run()
    expect(report.totals.users.deleted).toBe(1)
  })
})

describe('the trace of a deletion', () => {
  test('the ids of deleted users are in the report, the formatted report and the log', async () => {
    const log = recordingLogger()
    const all = await scene(100, { logger: log })
    const gone = leave(all, 2)
    await all.clock.advance(dayMs)
    const report = await all.sync().run({ mode: 'full' })
    expect(only(report).deleted).toEqual({ users: { count: 2, ids: gone }, groups: { count: 0, ids: [] } })
    expect(formatReport(report)).toContain(`deleted 2 users: ${gone.join(', ')}`)
    const lines = log.lines.filter(({ message }) => message.startsWith('the sync deleted'))
    expect(lines.map(({ level, fields }) => ({ level, fields }))).toEqual(
      gone.map((resourceId) => ({
        level: 'info',
        fields: { organizationId: 'org_1', directoryId: all.directory.id, kind: 'user', resourceId },
      })),
    )
  })

  test('the ids of records with a failed handler are in the report and its formatted text', async () => {
    const all = await scene(100)
    const gone = leave(all, 2)
    all.app.before = () => {
      throw new Error('no')
    }
    await all.clock.advance(dayMs)
    const report = await all.sync().run({ mode: 'full' })
    expect(only(report)).toMatchObject({
      failed: { users: { count: 2, ids: gone } },
      deleted: { users: { count: 0 } },
    })
    expect(formatReport(report)).toContain(`failed 2 users: ${gone.join(', ')}`)
  })
})

describe('a handler that always fails for one user', () => {
  test('a failing handler makes three passes full, and then one per `fullEverySeconds`', async () => {
    const all = await scene(100)
    const sync = all.sync()
    await sync.run()
    all.app.before = (event) => {
      if ('id' in event.data && event.data.id === 'diruser_7') throw new Error('no')
    }
    const [seven] = all.directory.people.splice(7, 1)
    const modes: string[] = []
    const pass = async (afterMs: number) => {
      await all.clock.advance(afterMs)
      const report = only(await sync.run())
      modes.push(`${report.mode} ${report.failed.users.ids}`)
    }
    await pass(dayMs + 1)
    for (let hour = 0; hour < 4; hour++) await pass(3_600_000)
    await pass(dayMs + 1)
    await pass(3_600_000)
    expect(seven?.id).toBe('diruser_7')
    expect(modes).toEqual([
      'full diruser_7',
      'full diruser_7',
      'full diruser_7',
      'incremental ',
      'incremental ',
      'full diruser_7',
      'incremental ',
    ])
  })

  test('a failing handler makes three passes full, also for more users than the report names', async () => {
    const all = await scene(1100)
    all.app.before = () => {
      throw new Error('no')
    }
    for (const person of all.directory.people) person.updatedAtMs = all.clock.now()
    await all.clock.advance(dayMs + 1)
    const sync = all.sync()
    const modes: string[] = []
    for (let pass = 0; pass < 4; pass++) modes.push(only(await sync.run()).mode)
    expect(modes).toEqual(['full', 'full', 'full', 'incremental'])
  })

  test('a failing handler does not prevent a retry of another failure', async () => {
    const all = await scene(100)
    const sync = all.sync()
    await sync.run()
    const failing = new Set(['diruser_7'])
    all.app.before = (event) => {
      if ('id' in event.data && failing.has(String(event.data.id))) throw new Error('no')
    }
    leave(all, 8)
    for (let pass = 0; pass < 3; pass++) await sync.run({ mode: 'full' })
    failing.add('diruser_8')
    leave(all, 1)
    const modes = [only(await sync.run({ mode: 'full' })).mode, only(await sync.run()).mode]
    expect(modes).toEqual(['full', 'full'])
  })
})

describe('users whom another directory of the organization lists', () => {
  /** The organization has three directories. The application stores the directory of each user. */
  async function three() {
    const all = await scene(5)
    const second = new TestDirectory('org_1', people(5, 5), 'dir_second')
    const third = new TestDirectory('org_1', people(5, 10), 'dir_third')
    all.api.directories.push(second, third)
    const rows = [all.directory, second, third].flatMap(({ id, people }) =>
      people.map((person) => ({ id: person.id, occurredAt: '2026-06-01T09:00:00Z', directoryId: id })),
    )
    const sync = all.sync({ known: { users: () => rows }, concurrency: { directories: 1 } })
    await sync.run({ mode: 'full' })
    const nextDay = async () => {
      await all.clock.advance(dayMs)
      const [organization] = (await sync.run({ mode: 'full' })).organizations
      return organization?.directories.flatMap(({ held }) => held)
    }
    return { ...all, second, third, rows, nextDay }
  }

  test('users of another directory are not held when their own directory is removed', async () => {
    const all = await three()
    all.api.directories.shift()
    all.third.people.push(...all.directory.people)
    expect(await all.nextDay()).toEqual([])
    expect(deletions(all.app)).toEqual([])
  })

  test('users of another directory are not decided while that other directory cannot be read', async () => {
    const all = await three()
    all.api.directories.shift()
    all.api.beforePage = ({ directory }) => {
      if (directory === all.third) throw new Error('gone away')
    }
    expect(await all.nextDay()).toMatchObject([{ reason: 'unsettled', count: 5 }])
    all.api.beforePage = () => {}
    expect(await all.nextDay()).toMatchObject([{ reason: 'directory-removed', count: 5 }])
  })

  test('users of another directory are decided next to a directory of which the application has no records', async () => {
    const all = await three()
    all.api.directories.splice(0, 3, all.second, all.third, new TestDirectory('org_1', [], 'dir_unknown'))
    expect(await all.nextDay()).toMatchObject([{ reason: 'directory-removed', count: 5 }])
  })

  test('users of another directory stay held for their own directory, although no directory was read for a long time', async () => {
    const all = await three()
    // The list of directories is incomplete, so the first directory's pass holds the users of the second.
    const [short] = all.api.directories.splice(1, 1)
    expect(await all.nextDay()).toMatchObject([{ reason: 'directory-removed', count: 5 }])
    await all.clock.advance(95 * dayMs)
    if (short) all.api.directories.push(short)
    all.second.people = []
    expect(await all.nextDay()).toMatchObject([{ reason: 'directory-removed', count: 5 }])
    expect(deletions(all.app)).toEqual([])
  })

  test('users of another directory are not deleted if `known` yields them twice, or with the wrong directory', async () => {
    const all = await three()
    all.rows.push(
      ...all.rows
        .filter(({ directoryId }) => directoryId === 'dir_third')
        .map((row) => ({ ...row, directoryId: 'dir_second' })),
    )
    expect(await all.nextDay()).toEqual([])
    expect(deletions(all.app)).toEqual([])
  })
})

test("a directory that stays unreadable does not keep its organization's other passes full", async () => {
  const all = await scene(5)
  const broken = new TestDirectory('org_1', people(5, 5), 'dir_broken')
  all.api.directories.push(broken)
  const rows = people(5).map(({ id }) => ({
    id,
    occurredAt: '2026-06-01T09:00:00Z',
    directoryId: all.directory.id,
  }))
  all.api.beforePage = ({ directory }) => {
    if (directory === broken) throw new Error('gone away')
  }
  const sync = all.sync({ known: { users: () => rows } })
  const modes: (string | undefined)[] = []
  for (let hour = 0; hour < 6; hour++) {
    await all.clock.advance(3_600_000)
    const directories = (await sync.run()).organizations[0]?.directories ?? []
    modes.push(directories.find(({ directoryId }) => directoryId === all.directory.id)?.mode)
  }
  expect(modes).toEqual(['full', 'full', 'full', 'incremental', 'incremental', 'incremental'])
})

describe('an organization that had two directories', () => {
  /** The organization has two directories. The application does not store the directory of its users. */
  async function two() {
    const all = await scene(10)
    const other = new TestDirectory('org_1', people(5, 10), 'dir_other')
    all.api.directories.push(other)
    have(
      all.app,
      other.people.map(({ id }) => id),
    )
    await all.nextDay()
    return { ...all, other }
  }

  test('the sync does not delete users of a directory that is missing from the list', async () => {
    const all = await two()
    all.api.directories.pop()
    for (let pass = 0; pass < 3; pass++) {
      expect((await all.nextDay()).held).toMatchObject([{ reason: 'several-directories', count: 5 }])
    }
    expect(deletions(all.app)).toEqual([])
  })

  test('the sync does not delete records held as several-directories when one directory is removed', async () => {
    const all = await two()
    leave(all, 1)
    await all.nextDay()
    all.api.directories.pop()
    const report = await all.nextDay()
    expect(report.held).toMatchObject([{ reason: 'several-directories', count: 6 }])
    expect(deletions(all.app)).toEqual([])
  })
})

test('a user who comes back within the clock difference is created again', async () => {
  const all = await scene(100)
  leave(all, 1)
  expect((await all.nextDay()).deleted.users.ids).toEqual(['diruser_0'])
  const back = {
    type: 'organization.directory.user_created' as const,
    id: 'evt_1',
    // The event has the time of a clock that is 20 s behind the store's clock.
    occurred_at: new Date(all.clock.now() - 20_000).toISOString(),
    organization_id: 'org_1',
    data: { id: 'diruser_0', organization_id: 'org_1' },
  }
  expect(await all.app.dispatcher.dispatch(back)).toMatchObject({ outcome: 'processed' })
  expect(all.app.live()).toContain('diruser_0')
})

test('an event during the reading of `known` is newer than the deletion that two walks cause', async () => {
  const all = await scene(100)
  leave(all, 1)
  await all.clock.advance(dayMs)
  const known = {
    users: async () => {
      await update(all, ['diruser_0'])
      // This time is longer than the margin between the time of the sync's events and their reading.
      for (let second = 0; second < 90; second++) await all.clock.advance(1000)
      return all.app.live().map((id) => ({ id, occurredAt: '2026-06-01T09:00:00Z' }))
    },
  }
  expect(only(await all.sync({ known }).run({ mode: 'full' })).users).toMatchObject({ stale: 1, deleted: 0 })
  expect(all.app.live()).toContain('diruser_0')
})
