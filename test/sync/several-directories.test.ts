import { setTimeout as sleep } from 'node:timers/promises'
import { createDispatcher, type HandlerContext } from '@scalekit-scim/core'
import {
  createDirectorySync,
  type DirectoryApi,
  type DirectorySync,
  type KnownRecord,
  type RunOptions,
} from '@scalekit-scim/core/sync'
import { sampleEvent } from '@scalekit-scim/core/testing'
import { createSimulator } from '@scalekit-scim/simulator'
import { expect, onTestFinished, test } from 'vitest'
import { sdkOf } from '../simulator/scene.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'

interface Row {
  occurredAt: string
  directoryId: string | null
  deleted: boolean
}

const hourMs = 3_600_000

async function fullPass(sync: DirectorySync, options: RunOptions = {}) {
  // What is read in the millisecond of what was applied is no newer.
  await sleep(2)
  return sync.run({ mode: 'full', ...options })
}

/** An application that keeps with each user whose it is, as far as it was told. */
function application(isKept = true) {
  const users = new Map<string, Row>()
  const put = (id: string, { occurredAt, directoryId }: HandlerContext, deleted = false) => {
    users.set(id, {
      occurredAt,
      deleted,
      directoryId: (isKept ? directoryId : undefined) ?? users.get(id)?.directoryId ?? null,
    })
  }
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    onUserUpserted: ({ data }, ctx) => put(data.id, ctx),
    onUserDeleted: ({ data }, ctx) => put(data.id, ctx, true),
  })
  onTestFinished(() => dispatcher.close())
  const live = () => [...users].filter(([, { deleted }]) => !deleted)
  return {
    users,
    live: () => Object.fromEntries(live().map(([id, { directoryId }]) => [id, directoryId])),
    /** From a webhook, which does not tell whose the user is. */
    hear: (organization_id: string, id: string) =>
      dispatcher.dispatch(
        sampleEvent('organization.directory.user_created', {
          occurred_at: new Date(Date.now() - hourMs / 2).toISOString(),
          data: { id, organization_id, groups: [] },
        }),
        { source: 'webhook' },
      ),
    syncWith: (scalekit: DirectoryApi, asked: Partial<KnownRecord> = {}) =>
      createDirectorySync({
        scalekit,
        dispatcher,
        organizations: 'all',
        known: {
          users: () =>
            live().map(([id, { occurredAt, directoryId }]) => ({ id, occurredAt, directoryId, ...asked })),
        },
        logger: false,
      }),
  }
}

test('through the SDK: an application learns whose each account is, and then loses whom its directory loses', async () => {
  const simulator = await createSimulator({ from: new Date(Date.now() - hourMs) })
  onTestFinished(() => simulator.close())
  const { environment } = simulator
  const organization = environment.createOrganization({ displayName: 'Acme' })
  const okta = environment.createDirectory(organization.id).id
  const entra = environment.createDirectory(organization.id).id
  const hire = (directoryId: string, userName: string) =>
    environment.createUser(directoryId, { attributes: { userName } }).id
  const [ann, ben, cho, fay] = [hire(okta, 'ann'), hire(okta, 'ben'), hire(okta, 'cho'), hire(okta, 'fay')]
  const [dan, eve] = [hire(entra, 'dan'), hire(entra, 'eve')]

  const app = application()
  for (const id of [ann, ben, cho, fay, dan, eve]) await app.hear(organization.id, id)
  expect(new Set(Object.values(app.live()))).toEqual(new Set([null]))
  const sync = app.syncWith(sdkOf(simulator))

  const learning = await fullPass(sync)
  expect(learning.totals.users).toMatchObject({ updated: 6, deleted: 0 })
  expect(app.live()).toEqual({
    [ann]: okta,
    [ben]: okta,
    [cho]: okta,
    [fay]: okta,
    [dan]: entra,
    [eve]: entra,
  })

  environment.deleteUser(ann)
  const second = await fullPass(sync)
  expect(second.totals.users).toMatchObject({ seen: 5, unchanged: 5, deleted: 1, held: 0 })
  expect(app.live()).toEqual({ [ben]: okta, [cho]: okta, [fay]: okta, [dan]: entra, [eve]: entra })

  // Who moves is somebody new in the other directory.
  environment.deleteUser(ben)
  const moved = hire(entra, 'ben')
  expect((await fullPass(sync)).totals.users).toMatchObject({ created: 1, deleted: 1, held: 0 })
  expect(app.live()).toEqual({ [cho]: okta, [fay]: okta, [dan]: entra, [eve]: entra, [moved]: entra })
})

/** Two directories of five and of three people, all of whom the application has from webhooks. */
async function twoDirectories(isKept?: boolean) {
  const app = application(isKept)
  const okta = new TestDirectory('org_1', people(5), 'dir_okta')
  const entra = new TestDirectory('org_1', people(3, 5), 'dir_entra')
  for (const { id } of [...okta.people, ...entra.people]) await app.hear('org_1', id)
  return { app, okta, entra, api: new TestApi(okta, entra) }
}

test('an application that does not keep directories is not sent what it has', async () => {
  const { app, api } = await twoDirectories(false)
  const sync = app.syncWith(api, { directoryId: undefined })
  expect((await fullPass(sync)).totals.users).toMatchObject({ seen: 8, unchanged: 8, held: 0 })
})

test('people of an only directory are sent once, so that the application knows whose they are when a second comes', async () => {
  const { app, okta } = await twoDirectories()
  const sync = app.syncWith(new TestApi(okta))
  expect((await fullPass(sync)).totals.users).toMatchObject({ seen: 5, updated: 5 })
  expect((await fullPass(sync)).totals.users).toMatchObject({ seen: 5, updated: 0, unchanged: 5 })
})

test('somebody of whom nobody knows whose they are is held, and keeps nobody else', async () => {
  const { app, okta, entra, api } = await twoDirectories()
  const lost = okta.people.pop()?.id ?? ''
  const sync = app.syncWith(api)
  await fullPass(sync)
  const gone = entra.people.pop()?.id ?? ''
  const report = await fullPass(sync)
  expect(report.totals.users.deleted).toBe(1)
  expect(app.users.get(gone)).toMatchObject({ deleted: true, directoryId: 'dir_entra' })
  expect(report.organizations[0]?.directories.flatMap(({ held }) => held)).toEqual([
    { kind: 'user', reason: 'several-directories', count: 1, ids: [lost] },
    { kind: 'user', reason: 'several-directories', count: 1, ids: [lost] },
  ])
})

test('the limits are of those who are sure to be of the directory', async () => {
  const { app, okta, api } = await twoDirectories()
  for (const id of ['diruser_0', 'diruser_1', 'diruser_2']) {
    Object.assign(app.users.get(id) ?? {}, { directoryId: okta.id })
  }
  okta.people.splice(0, 2)
  const [report] = (await fullPass(app.syncWith(api))).organizations[0]?.directories ?? []
  expect(report?.held).toMatchObject([
    // Two of three, though two of eight that the application has.
    { reason: 'over-half', count: 2, ids: ['diruser_0', 'diruser_1'] },
  ])
})

test.each([1, 2])(
  'of %i directories left, whose was removed is asked about once, however few they are, and the approval deletes them',
  async (left) => {
    const { app, okta, entra, api } = await twoDirectories()
    const third = new TestDirectory('org_1', people(2, 8), 'dir_third')
    if (left > 1) api.directories.push(third)
    const sync = app.syncWith(api)
    await fullPass(sync)
    api.directories.splice(0, 1)
    // Somebody whom the directory that is left has taken over, with the id that they had.
    const [taken] = okta.people
    if (taken) entra.people.push(taken)

    const report = await fullPass(sync)
    const there = left > 1 ? 6 : 4
    expect(report.totals.users).toMatchObject({ seen: there, updated: 1, deleted: 0, held: 4 })
    const held = report.organizations[0]?.directories.flatMap((directory) => directory.held) ?? []
    expect(held).toMatchObject([
      {
        kind: 'user',
        reason: 'directory-removed',
        count: 4,
        ids: ['diruser_1', 'diruser_2', 'diruser_3', 'diruser_4'],
      },
    ])
    // To look again would settle nothing.
    const modes = (await sync.run()).organizations[0]?.directories.map(({ mode }) => mode)
    expect(new Set(modes)).toEqual(new Set(['incremental']))
    expect(app.users.get('diruser_0')).toMatchObject({ deleted: false, directoryId: 'dir_entra' })

    // In whatever order the API lists the directories.
    api.directories.reverse()
    const approved = await fullPass(sync, { approve: [String(held[0]?.approval)] })
    expect(approved).toMatchObject({ totals: { users: { deleted: 4, held: 0 } }, unusedApprovals: [] })
    // They stay of the directory that they were of: should it be there again, no other takes them for its own.
    expect(app.users.get('diruser_1')).toMatchObject({ deleted: true, directoryId: 'dir_okta' })
    expect(Object.keys(app.live())).toHaveLength(there)
  },
)
