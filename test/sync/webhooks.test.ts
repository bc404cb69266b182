import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import KeyvRedis from '@keyv/redis'
import type { DirectoryEvent, Store } from '@scalekit-scim/core'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { sampleEvent } from '@scalekit-scim/core/testing'
import Keyv from 'keyv'
import { afterAll, describe, expect, test } from 'vitest'
import { type Application, application, have } from '../support/application.ts'
import { type Person, TestApi, TestDirectory } from '../support/paged-directories.ts'
import { sharedRedis } from '../support/redis-server.ts'

const redis = await sharedRedis()
const adapters: KeyvRedis<unknown>[] = []
const stores: Record<string, () => Store> = { memory: () => 'memory' }
if (redis) {
  stores.Redis = () => {
    const adapter = new KeyvRedis(redis.url)
    adapters.push(adapter)
    return new Keyv({ store: adapter })
  }
}
afterAll(async () => {
  await Promise.all(adapters.map((adapter) => adapter.disconnect()))
  await redis?.remove()
})

const ada = 'diruser_ada'
/** The time is long before the events of these tests. */
const old: Person = { id: ada, active: true, title: 'old', updatedAtMs: Date.parse('2026-01-05T09:00:00Z') }

type Change = 'created' | 'updated' | 'deactivated' | 'deleted'

/** A change of the user Ada in the directory: the record after the change, and the webhook. */
function changeOf(change: Change, atMs = Date.now()): { person: Person | undefined; event: DirectoryEvent } {
  const occurred_at = new Date(atMs).toISOString()
  const person: Person = { id: ada, active: change !== 'deactivated', title: 'new', updatedAtMs: atMs }
  const data = { id: ada, organization_id: 'org_1', active: person.active, title: 'new', groups: [] }
  const patch = { occurred_at, organization_id: 'org_1' }
  if (change === 'deleted') {
    const event = sampleEvent('organization.directory.user_deleted', {
      ...patch,
      data: { id: ada, organization_id: 'org_1' },
    })
    return { person: undefined, event }
  }
  const type = `organization.directory.user_${change === 'created' ? 'created' : 'updated'}` as const
  return { person, event: sampleEvent(type, { ...patch, data }) }
}

function listing(person: Person | undefined): TestApi {
  const others = Array.from({ length: 40 }, (_, index) => ({ ...old, id: `diruser_${index}` }))
  return new TestApi(new TestDirectory('org_1', person ? [person, ...others] : others))
}

function stateOf(app: Application): object | undefined {
  const row = app.users.get(ada)
  return row && { active: row.active, title: row.title, deleted: row.deleted }
}

const after: Record<Change, object> = {
  created: { active: true, title: 'new', deleted: false },
  updated: { active: true, title: 'new', deleted: false },
  deactivated: { active: false, title: 'new', deleted: false },
  deleted: expect.objectContaining({ deleted: true }),
}
const changes = Object.keys(after) as Change[]

describe.each(Object.keys(stores))('on %s', (kind) => {
  const open = () => {
    const app = application({ store: stores[kind]?.(), namespace: `webhooks-${randomUUID()}` })
    const syncWith = (api: TestApi) =>
      createDirectorySync({
        scalekit: api,
        dispatcher: app.dispatcher,
        organizations: 'all',
        known: app.known,
        logger: false,
      })
    const webhook = (event: DirectoryEvent) => app.dispatcher.dispatch(event, { source: 'webhook' })
    return { app, syncWith, webhook }
  }
  const haveBefore = (app: Application, change: Change) => {
    const others = Array.from({ length: 40 }, (_, index) => `diruser_${index}`)
    have(app, change === 'created' ? others : [ada, ...others])
  }

  test.each(changes)('the pass does not undo a webhook before the walk: %s', async (change) => {
    const { app, syncWith, webhook } = open()
    haveBefore(app, change)
    const { person, event } = changeOf(change)
    expect(await webhook(event)).toMatchObject({ outcome: 'processed' })
    const report = await syncWith(listing(person)).run()
    expect(report.outcome).toBe('complete')
    expect(stateOf(app)).toEqual(after[change])
  })

  test.each(changes)(
    'the pass does not undo a webhook during the request of its page: %s',
    async (change) => {
      const { app, syncWith, webhook } = open()
      haveBefore(app, change)
      // The record has also changed shortly before, so that the sync sends an event.
      const before = { ...old, updatedAtMs: Date.now() }
      const api = listing(change === 'created' ? undefined : before)
      api.bend = async (page, { kind, number }) => {
        if (kind === 'users' && number === 0) {
          expect(await webhook(changeOf(change).event)).toMatchObject({ outcome: 'processed' })
        }
        return page
      }
      const report = await syncWith(api).run()
      expect(report.outcome).toBe('complete')
      if (change !== 'created') expect(report.totals.users.stale).toBe(1)
      expect(stateOf(app)).toEqual(after[change])
    },
  )

  test.each(changes)('a webhook after the walk is applied, with a clock 30 s behind: %s', async (change) => {
    const { app, syncWith, webhook } = open()
    haveBefore(app, change)
    const api = listing(change === 'created' ? undefined : { ...old, updatedAtMs: Date.now() - 40_000 })
    await syncWith(api).run()
    expect(await webhook(changeOf(change, Date.now() - 30_000).event)).toMatchObject({ outcome: 'processed' })
    expect(stateOf(app)).toEqual(after[change])
  })

  test('a user whom a webhook restores between the walks is not deleted', async () => {
    const { app, syncWith, webhook } = open()
    haveBefore(app, 'updated')
    // On a shared store, the first pass of a directory holds all deletions.
    await syncWith(listing(old)).run()
    // A page that is requested in the same millisecond is not newer.
    await sleep(2)
    const api = listing(undefined)
    api.bend = async (page, { kind, number }) => {
      // This call is for the last page of the second walk.
      if (kind === 'users' && number === 3) await webhook(changeOf('created').event)
      return page
    }
    const report = await syncWith(api).run()
    expect(report.totals.users).toMatchObject({ stale: 1, deleted: 0 })
    expect(stateOf(app)).toEqual(after.created)
  })

  test('the sync recovers a lost webhook once', async () => {
    const { app, syncWith } = open()
    haveBefore(app, 'updated')
    const { person } = changeOf('deactivated', Date.now() - 3_600_000)
    const sync = syncWith(listing(person))
    expect((await sync.run({ mode: 'full' })).totals.users).toMatchObject({ updated: 1, unchanged: 40 })
    expect(stateOf(app)).toEqual(after.deactivated)
    expect((await sync.run({ mode: 'full' })).totals.users).toMatchObject({ updated: 0, unchanged: 41 })
  })

  test('a user is reactivated only if the details have `active: true`', async () => {
    const { app, syncWith, webhook } = open()
    haveBefore(app, 'updated')
    await webhook(changeOf('deactivated', Date.now() - 7_200_000).event)
    // A page that is requested in the same millisecond is not newer.
    await sleep(2)
    const silent = { id: ada, title: 'later', updatedAtMs: Date.now() - 3_600_000 }
    await syncWith(listing(silent)).run()
    expect(stateOf(app)).toEqual({ active: false, title: 'later', deleted: false })
    await syncWith(listing({ ...silent, active: true, updatedAtMs: Date.now() })).run()
    expect(stateOf(app)).toEqual({ active: true, title: 'later', deleted: false })
  })
})
