import { systemClock } from '@scalekit-scim/core/internal'
import {
  createDirectorySync,
  type DirectoryApi,
  type DirectoryReport,
  type DirectorySyncOptions,
  type RunOptions,
} from '@scalekit-scim/core/sync'
import { type ApiFaults, createSimulator, type Environment, type Simulator } from '@scalekit-scim/simulator'
import type { ScalekitClient } from '@scalekit-sdk/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Random } from '../chaos/random.ts'
import { sdkOf } from '../simulator/scene.ts'
import { type Application, application, have } from '../support/application.ts'

let simulator: Simulator
let environment: Environment
let sdk: ScalekitClient

beforeAll(async () => {
  simulator = await createSimulator({ seed: 'no harm' })
  environment = simulator.environment
  sdk = sdkOf(simulator)
})
afterAll(() => simulator.close())
beforeEach(() => simulator.setFaults({ api: {} }))

const listing = { method: 'listDirectoryUsers' }
/** Shortens each pause before a retry to a hundredth. */
const quickClock = {
  ...systemClock,
  setTimeout: (callback: () => void, delayMs: number) => systemClock.setTimeout(callback, delayMs / 100),
}

interface Scene {
  app: Application
  organizationId: string
  directoryId: string
  /** Runs before the SDK requests a page of users. The first is 1. */
  beforePage: (page: number) => void
  /** The users of each page. */
  pages: string[][]
  ids(): string[]
  dismiss(from: number, count: number): string[]
  pass(run?: RunOptions, options?: Partial<DirectorySyncOptions>): Promise<DirectoryReport>
}

/** Creates a customer's directory whose users the application has. */
function scene(count: number): Scene {
  const app = application()
  const organization = environment.createOrganization({ displayName: 'Acme' })
  const { id: directoryId } = environment.createDirectory(organization.id)
  const pages: string[][] = []
  let asked = 0
  const scene: Scene = {
    app,
    organizationId: organization.id,
    directoryId,
    pages,
    beforePage: () => {},
    ids: () => environment.contents(directoryId).users.map(({ id }) => id),
    dismiss(from, gone) {
      const ids = scene.ids().slice(from, from + gone)
      for (const id of ids) environment.deleteUser(id)
      return ids.sort()
    },
    async pass(run, options) {
      const scalekit: DirectoryApi = {
        organization: sdk.organization,
        directory: {
          listDirectories: (...parameters) => sdk.directory.listDirectories(...parameters),
          listDirectoryGroups: (...parameters) => sdk.directory.listDirectoryGroups(...parameters),
          async listDirectoryUsers(...parameters) {
            scene.beforePage(++asked)
            const page = await sdk.directory.listDirectoryUsers(...parameters)
            pages.push(page.users.map(({ id }) => id))
            return page
          },
        },
      }
      const sync = createDirectorySync({
        scalekit,
        dispatcher: app.dispatcher,
        organizations: [organization.id],
        known: app.known,
        logger: false,
        clock: quickClock,
        ...options,
      })
      const report = await sync.run(run)
      const [directory] = report.organizations[0]?.directories ?? []
      if (!directory) throw new Error(`the directory was not read: ${report.organizations[0]?.skipped}`)
      return directory
    },
  }
  for (let number = 0; number < count; number++) hire(directoryId, `user.${number}`)
  have(app, scene.ids())
  return scene
}

function hire(directoryId: string, userName: string): void {
  environment.createUser(directoryId, { attributes: { userName } })
}

function deleted({ app }: Scene): string[] {
  const gone = [...app.users.values()].filter((row) => row.deleted)
  return gone.map(({ id }) => id).sort()
}

/**
 * A directory of 240 users is read in pages of 30. At each page, one user joins and one leaves. In other runs, 1 % of
 * all users join and leave. So the total does not change, and users after a gap move to a page that was already read.
 */
test('users who join and leave between pages cause no wrong deletion in 20 runs', async () => {
  let misled = 0
  for (let seed = 1; seed <= 20; seed++) {
    const run = scene(240)
    const random = new Random(seed)
    run.dismiss(random.below(237), 3)
    const rate = seed % 2 === 0 ? 2.4 : 0.2
    let joined = 0
    run.beforePage = () => {
      for (let changes = Math.floor(rate + random.next()); changes > 0; changes--) {
        run.dismiss(random.below(237), 1)
        hire(run.directoryId, `joined.${joined++}`)
      }
    }
    await run.pass({}, { deletions: { maxCount: 120 } })
    const there = run.ids()
    const walked = new Set(run.pages.slice(0, 8).flat())
    if (walked.size === 237 && there.some((id) => run.app.users.has(id) && !walked.has(id))) misled++
    expect(
      there.filter((id) => deleted(run).includes(id)),
      `seed ${seed}`,
    ).toEqual([])

    run.beforePage = () => {}
    await run.pass({ mode: 'full' }, { deletions: { maxCount: 120 } })
    expect(run.app.live().sort(), `seed ${seed}`).toEqual(run.ids().sort())
  }
  // A decision by the first walk alone would have caused wrong deletions.
  expect(misled).toBeGreaterThan(0)
})

describe('the pass deletes nobody and reports the reason', () => {
  test.each<[string, ApiFaults]>([
    ['when a page comes empty', { emptyPage: { ...listing, page: 2 } }],
    ['when a walk is cut short', { truncateWalk: { ...listing, page: 3 } }],
    ['when only the second walk is cut short', { truncateWalk: { ...listing, page: 3, call: 9 } }],
    ['when totalSize is wrong on each page', { wrongTotal: listing }],
    ['when totalSize moves', { movingTotal: listing }],
  ])('%s', async (_, api) => {
    const run = scene(100)
    run.dismiss(7, 1)
    simulator.setFaults({ api })
    const { held } = await run.pass()
    expect(deleted(run)).toEqual([])
    expect(held).toMatchObject([{ kind: 'user', reason: 'unsettled' }])
  })

  test('when a token repeats', async () => {
    const run = scene(100)
    run.dismiss(7, 1)
    simulator.setFaults({ api: { repeatToken: { ...listing, page: 3 } } })
    const { error } = await run.pass()
    expect(deleted(run)).toEqual([])
    expect(error).toMatchObject({ name: 'PagingError' })
  })

  test('when page 700 always fails', async () => {
    const run = scene(21_030)
    run.dismiss(7, 1)
    simulator.setFaults({ api: { internal: { ...listing, page: 700 } } })
    const { error, users, retries } = await run.pass()
    expect(deleted(run)).toEqual([])
    expect(error).toMatchObject({ name: 'ScalekitInternalServerException' })
    expect(retries).toBe(5)
    expect(users).toMatchObject({ seen: 699 * 30, deleted: 0 })
  })

  test('when the directory is disabled during the pass', async () => {
    const run = scene(100)
    run.dismiss(7, 1)
    run.beforePage = (page) => {
      if (page === 3) environment.setDirectoryEnabled(run.directoryId, false)
    }
    const { held } = await run.pass()
    expect(deleted(run)).toEqual([])
    expect(held).toMatchObject([{ reason: 'directory-disabled', count: 1 }])
  })

  // A walk over 99 users takes four pages.
  test.each([1, 2, 4, 5, 8])('when the organization is removed during page %i', async (removedAt) => {
    const run = scene(100)
    run.dismiss(7, 1)
    run.beforePage = (page) => {
      if (page === removedAt) environment.deleteOrganization(run.organizationId)
    }
    const { error, users } = await run.pass()
    expect(deleted(run)).toEqual([])
    expect(users).toMatchObject({ deleted: 0, held: 0 })
    expect(error).toMatchObject({ name: 'ScalekitNotFoundException' })
  })

  test('when the directory was disabled before the pass', async () => {
    const run = scene(100)
    run.dismiss(7, 1)
    environment.setDirectoryEnabled(run.directoryId, false)
    await expect(run.pass()).rejects.toThrow('directory-disabled')
    expect(deleted(run)).toEqual([])
  })
})

describe('a customer who removes 40 % of the users', () => {
  test('if a customer removes 40 % of the users, the deletions are held, and their approval applies', async () => {
    const run = scene(200)
    const gone = run.dismiss(20, 80)
    const { held } = await run.pass()
    expect(deleted(run)).toEqual([])
    expect(held).toMatchObject([{ reason: 'over-limit', count: 80, ids: gone }])

    const { users } = await run.pass({ approve: [String(held[0]?.approval)] })
    expect(users).toMatchObject({ deleted: 80, held: 0 })
    expect(deleted(run)).toEqual(gone)
  })

  test('a later deletion does not wait for an approval of earlier deletions', async () => {
    const run = scene(200)
    const gone = run.dismiss(20, 80)
    const { held } = await run.pass()
    const later = run.dismiss(0, 1)
    const report = await run.pass({ approve: [String(held[0]?.approval)] })
    expect(report.users).toMatchObject({ deleted: 81, held: 0 })
    expect(deleted(run)).toEqual([...gone, ...later].sort())
  })
})
