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
  // A record read in the same millisecond as an applied event is not newer.
  await sleep(2)
  return sync.run({ mode: 'full', ...options })
}

/** Creates an application that stores the directory of each user, from the first event with a directory. */
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
    /** A webhook creates the user, so the account has no directory id. */
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

test('through the SDK, the application gets the directory of each account, and then deletes users of that directory', async () => {
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

  // A user who moves is a new user in the other directory.
  environment.deleteUser(ben)
  const moved = hire(entra, 'ben')
  expect((await fullPass(sync)).totals.users).toMatchObject({ created: 1, deleted: 1, held: 0 })
  expect(app.live()).toEqual({ [cho]: okta, [fay]: okta, [dan]: entra, [eve]: entra, [moved]: entra })
})

/** Creates two directories with five and three users. The application has all users from webhooks. */
async function twoDirectories(isKept?: boolean) {
  const app = application(isKept)
  const okta = new TestDirectory('org_1', people(5), 'dir_okta')
  const entra = new TestDirectory('org_1', people(3, 5), 'dir_entra')
  for (const { id } of [...okta.people, ...entra.people]) await app.hear('org_1', id)
  return { app, okta, entra, api: new TestApi(okta, entra) }
}

test('an application without directory ids does not get its records again', async () => {
  const { app, api } = await twoDirectories(false)
  const sync = app.syncWith(api, { directoryId: undefined })
  expect((await fullPass(sync)).totals.users).toMatchObject({ seen: 8, unchanged: 8, held: 0 })
})

test('users of a single directory are sent once, so that the application has their directory before a second one exists', async () => {
  const { app, okta } = await twoDirectories()
  const sync = app.syncWith(new TestApi(okta))
  expect((await fullPass(sync)).totals.users).toMatchObject({ seen: 5, updated: 5 })
  expect((await fullPass(sync)).totals.users).toMatchObject({ seen: 5, updated: 0, unchanged: 5 })
})

test('a user without a directory is held, and does not prevent other deletions', async () => {
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

test('the limits refer to the users who certainly belong to the directory', async () => {
  const { app, okta, api } = await twoDirectories()
  for (const id of ['diruser_0', 'diruser_1', 'diruser_2']) {
    Object.assign(app.users.get(id) ?? {}, { directoryId: okta.id })
  }
  okta.people.splice(0, 2)
  const [report] = (await fullPass(app.syncWith(api))).organizations[0]?.directories ?? []
  expect(report?.held).toMatchObject([
    // Two users are more than half of the three users in the directory, but not of the eight in the application.
    { reason: 'over-half', count: 2, ids: ['diruser_0', 'diruser_1'] },
  ])
})

test.each([1, 2])(
  'with %i directories left, users of a removed directory are held once, and the approval deletes them',
  async (left) => {
    const { app, okta, entra, api } = await twoDirectories()
    const third = new TestDirectory('org_1', people(2, 8), 'dir_third')
    if (left > 1) api.directories.push(third)
    const sync = app.syncWith(api)
    await fullPass(sync)
    api.directories.splice(0, 1)
    // The remaining directory lists this user, with the same id.
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
    // Another full pass would not change the decision.
    const modes = (await sync.run()).organizations[0]?.directories.map(({ mode }) => mode)
    expect(new Set(modes)).toEqual(new Set(['incremental']))
    expect(app.users.get('diruser_0')).toMatchObject({ deleted: false, directoryId: 'dir_entra' })

    // The API may list the directories in any order.
    api.directories.reverse()
    const approved = await fullPass(sync, { approve: [String(held[0]?.approval)] })
    expect(approved).toMatchObject({ totals: { users: { deleted: 4, held: 0 } }, unusedApprovals: [] })
    // The users keep their former directory in the application. If it exists again, no other directory gets these
    // users.
    expect(app.users.get('diruser_1')).toMatchObject({ deleted: true, directoryId: 'dir_okta' })
    expect(Object.keys(app.live())).toHaveLength(there)
  },
)
