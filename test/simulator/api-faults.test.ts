import type { ApiFaults } from '@scalekit-scim/simulator'
import {
  ScalekitCancelledException,
  ScalekitConflictException,
  ScalekitGatewayTimeoutException,
  ScalekitInternalServerException,
  ScalekitServiceUnavailableException,
  ScalekitTooManyRequestsException,
} from '@scalekit-sdk/node'
import { describe, expect, it } from 'vitest'
import { hire, refusal, type Scene, startScene, walk } from './scene.ts'

const list = ({ sdk, organization }: Scene) => sdk.directory.listDirectories(organization.id)

async function sceneWith(api: ApiFaults): Promise<Scene> {
  const scene = await startScene()
  hire(scene, 35)
  scene.simulator.setFaults({ api })
  return scene
}

describe('calls', () => {
  it.each([
    ['resourceExhausted', ScalekitTooManyRequestsException, 429],
    ['internal', ScalekitInternalServerException, 500],
    ['deadlineExceeded', ScalekitGatewayTimeoutException, 504],
    ['canceled', ScalekitCancelledException, 499],
    ['cutCall', ScalekitCancelledException, 499],
    ['resetConnection', ScalekitConflictException, 409],
  ] as const)('calls fail by %s as %o', async (fault, kind, httpStatus) => {
    const scene = await sceneWith({ [fault]: { times: 1 } })
    const error = await refusal(list(scene))
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject({ httpStatus })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('calls fail with ECONNRESET if the connection is reset', async () => {
    const scene = await sceneWith({ resetConnection: { times: 1 } })
    expect(await refusal(list(scene))).toMatchObject({ message: expect.stringContaining('ECONNRESET') })
  })

  it('calls that are unavailable are retried by the SDK', async () => {
    const scene = await sceneWith({ unavailable: { times: 2 } })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('calls that stay unavailable fail after the retries', async () => {
    const scene = await sceneWith({ unavailable: 1 })
    expect(await refusal(list(scene))).toBeInstanceOf(ScalekitServiceUnavailableException)
  })

  it('calls that are cut off have had their effect', async () => {
    const scene = await sceneWith({ cutCall: 1 })
    await refusal(scene.sdk.directory.disableDirectory(scene.organization.id, scene.directory.id))
    expect(scene.simulator.environment.directory(scene.directory.id).enabled).toBe(false)
  })

  it('calls without a token fail with a raw AxiosError', async () => {
    const scene = await sceneWith({ tokenFailure: { times: 1 } })
    const error = await refusal(list(scene))
    expect(error).toMatchObject({ name: 'AxiosError', response: { status: 503 } })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('calls are delayed, and fail if the caller has a shorter timeout', async () => {
    const scene = await sceneWith({ latencyMs: 5 })
    expect((await list(scene)).directories).toHaveLength(1)
    scene.simulator.setFaults({ api: { latencyMs: 60_000 } })
    Reflect.set(scene.sdk.directory, 'client', impatient(Reflect.get(scene.sdk.directory, 'client')))
    expect(await refusal(list(scene))).toBeInstanceOf(ScalekitGatewayTimeoutException)
  })
})

/** Returns the SDK's client with another deadline. The SDK has no option for the deadline. */
function impatient(client: { listDirectories(request: unknown, options: object): unknown }) {
  return { listDirectories: (request: unknown) => client.listDirectories(request, { timeoutMs: 50 }) }
}

describe('the calls that a fault affects', () => {
  it('a fault affects one page once if its rule has a page and a number of times', async () => {
    const scene = await sceneWith({ internal: { method: 'listDirectoryUsers', page: 2, times: 1 } })
    expect(await refusal(walk(scene))).toBeInstanceOf(ScalekitInternalServerException)
    expect((await walk(scene)).ids).toHaveLength(35)
  })

  it('a fault affects only the method of its rule', async () => {
    const scene = await sceneWith({ internal: { method: 'listDirectoryUsers' } })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('a fault affects only the call with the number in its rule, counted since the faults were set', async () => {
    const scene = await sceneWith({})
    await list(scene)
    scene.simulator.setFaults({ api: { internal: { call: 2 } } })
    await list(scene)
    expect(await refusal(list(scene))).toBeInstanceOf(ScalekitInternalServerException)
    await list(scene)
  })

  it('a fault affects a share of the calls, and the same calls for the same seed', async () => {
    const struck = async () => {
      const scene = await sceneWith({ internal: 0.5 })
      // The SDK sends the first call twice, because it has no token yet.
      const calls: string[] = []
      for (let call = 0; call < 30; call++) {
        calls.push(
          await list(scene).then(
            () => '.',
            () => 'x',
          ),
        )
      }
      return calls.join('')
    }
    const first = await struck()
    expect(first).toMatch(/\..*x|x.*\./)
    expect(await struck()).toBe(first)
  })

  it('a fault with an invalid name or share is an error', async () => {
    const { simulator } = await startScene()
    const set = (api: object) => () => simulator.setFaults({ api })
    expect(set({ unavailble: 1 })).toThrow('There is no option `faults.api.unavailble`')
    expect(set({ internal: 2 })).toThrow('`faults.api.internal` must be a number from 0 to 1')
    expect(set({ internal: { share: Number.NaN } })).toThrow('`faults.api.internal.share` must be')
    expect(set({ internal: 'often' })).toThrow('`faults.api.internal` must be an object')
  })
})

describe('pages', () => {
  it('pages can have a repeated token', async () => {
    const { pages } = await walk(await sceneWith({ repeatToken: { page: 2 } }), 10, 5)
    const [, second, third, fourth] = pages.map(({ users }) => users.map(({ id }) => id))
    expect(third).toEqual(second)
    expect(fourth).toEqual(second)
  })

  it('a page can be empty although more pages follow', async () => {
    const { pages, ids } = await walk(await sceneWith({ emptyPage: { page: 2 } }))
    expect(pages.map(({ users }) => users.length)).toEqual([10, 0, 10, 5])
    expect(new Set(ids).size).toBe(25)
  })

  it('a list can end before its last page', async () => {
    const { pages } = await walk(await sceneWith({ truncateWalk: { page: 3 } }))
    expect(pages.map(({ users, totalSize }) => [users.length, totalSize])).toEqual([
      [10, 35],
      [10, 35],
      [10, 35],
    ])
  })

  it('pages can have a wrong total, or a different one on each page', async () => {
    const totals = async (api: ApiFaults) =>
      (await walk(await sceneWith(api))).pages.map((page) => page.totalSize)
    expect(await totals({ wrongTotal: 1 })).toEqual([36, 36, 36, 36])
    expect(await totals({ wrongTotal: { page: 2 } })).toEqual([35, 36, 35, 35])
    expect(new Set(await totals({ movingTotal: 1 })).size).toBe(4)
  })

  it('pages can be sorted by the last change, so that a change repeats one user and hides another', async () => {
    const scene = await sceneWith({ orderByUpdate: true })
    const { sdk, organization, directory, simulator } = scene
    const before = simulator.environment.contents(directory.id).users
    const page = (pageToken: string) =>
      sdk.directory.listDirectoryUsers(organization.id, directory.id, { pageSize: 30, pageToken })
    const first = await page('')
    simulator.environment.updateUser(before[0]?.id ?? '', { attributes: { title: 'CTO' } })
    const second = await page(first.nextPageToken)
    const seen = [...first.users, ...second.users].map(({ id }) => id)
    expect(seen.filter((id) => id === before[0]?.id)).toHaveLength(2)
    expect(seen).not.toContain(before[30]?.id)
  })

  it('pages shift if a user is deleted during a walk', async () => {
    const scene = await startScene()
    const users = hire(scene, 20)
    const { sdk, organization, directory, simulator } = scene
    const first = await sdk.directory.listDirectoryUsers(organization.id, directory.id)
    simulator.environment.deleteUser(users[0]?.id ?? '')
    const { nextPageToken: pageToken } = first
    const second = await sdk.directory.listDirectoryUsers(organization.id, directory.id, { pageToken })
    expect(second.users.map(({ id }) => id)).toEqual(users.slice(11).map(({ id }) => id))
  })
})
