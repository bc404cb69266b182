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
  ] as const)('fail by %s as %o', async (fault, kind, httpStatus) => {
    const scene = await sceneWith({ [fault]: { times: 1 } })
    const error = await refusal(list(scene))
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject({ httpStatus })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('reset under the SDK say so', async () => {
    const scene = await sceneWith({ resetConnection: { times: 1 } })
    expect(await refusal(list(scene))).toMatchObject({ message: expect.stringContaining('ECONNRESET') })
  })

  it('that are unavailable are tried again by the SDK itself', async () => {
    const scene = await sceneWith({ unavailable: { times: 2 } })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('that stay unavailable fail in the end', async () => {
    const scene = await sceneWith({ unavailable: 1 })
    expect(await refusal(list(scene))).toBeInstanceOf(ScalekitServiceUnavailableException)
  })

  it('that are cut have been done', async () => {
    const scene = await sceneWith({ cutCall: 1 })
    await refusal(scene.sdk.directory.disableDirectory(scene.organization.id, scene.directory.id))
    expect(scene.simulator.environment.directory(scene.directory.id).enabled).toBe(false)
  })

  it('fail for want of a token as raw AxiosErrors', async () => {
    const scene = await sceneWith({ tokenFailure: { times: 1 } })
    const error = await refusal(list(scene))
    expect(error).toMatchObject({ name: 'AxiosError', response: { status: 503 } })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('are held back until their time, and fail when the caller waits no longer', async () => {
    const scene = await sceneWith({ latencyMs: 5 })
    expect((await list(scene)).directories).toHaveLength(1)
    scene.simulator.setFaults({ api: { latencyMs: 60_000 } })
    Reflect.set(scene.sdk.directory, 'client', impatient(Reflect.get(scene.sdk.directory, 'client')))
    expect(await refusal(list(scene))).toBeInstanceOf(ScalekitGatewayTimeoutException)
  })
})

/** The SDK's own client with a deadline of its own, which the SDK has no option for. */
function impatient(client: { listDirectories(request: unknown, options: object): unknown }) {
  return { listDirectories: (request: unknown) => client.listDirectories(request, { timeoutMs: 50 }) }
}

describe('a fault strikes', () => {
  it('the page that it is for, once, where both are said', async () => {
    const scene = await sceneWith({ internal: { method: 'listDirectoryUsers', page: 2, times: 1 } })
    expect(await refusal(walk(scene))).toBeInstanceOf(ScalekitInternalServerException)
    expect((await walk(scene)).ids).toHaveLength(35)
  })

  it('no other method than the one it is for', async () => {
    const scene = await sceneWith({ internal: { method: 'listDirectoryUsers' } })
    expect((await list(scene)).directories).toHaveLength(1)
  })

  it('the call that it is for, counted from when it was set', async () => {
    const scene = await sceneWith({})
    await list(scene)
    scene.simulator.setFaults({ api: { internal: { call: 2 } } })
    await list(scene)
    expect(await refusal(list(scene))).toBeInstanceOf(ScalekitInternalServerException)
    await list(scene)
  })

  it('a share of the calls, the same ones for the same seed', async () => {
    const struck = async () => {
      const scene = await sceneWith({ internal: 0.5 })
      // The first call comes twice: the SDK has no token yet.
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

  it('never, when it is unknown or no share: that is an error', async () => {
    const { simulator } = await startScene()
    const set = (api: object) => () => simulator.setFaults({ api })
    expect(set({ unavailble: 1 })).toThrow('There is no option `faults.api.unavailble`')
    expect(set({ internal: 2 })).toThrow('`faults.api.internal` must be a number from 0 to 1')
    expect(set({ internal: { share: Number.NaN } })).toThrow('`faults.api.internal.share` must be')
    expect(set({ internal: 'often' })).toThrow('`faults.api.internal` must be an object')
  })
})

describe('pages', () => {
  it('have a token that repeats', async () => {
    const { pages } = await walk(await sceneWith({ repeatToken: { page: 2 } }), 10, 5)
    const [, second, third, fourth] = pages.map(({ users }) => users.map(({ id }) => id))
    expect(third).toEqual(second)
    expect(fourth).toEqual(second)
  })

  it('are empty with more to come', async () => {
    const { pages, ids } = await walk(await sceneWith({ emptyPage: { page: 2 } }))
    expect(pages.map(({ users }) => users.length)).toEqual([10, 0, 10, 5])
    expect(new Set(ids).size).toBe(25)
  })

  it('end too early', async () => {
    const { pages } = await walk(await sceneWith({ truncateWalk: { page: 3 } }))
    expect(pages.map(({ users, totalSize }) => [users.length, totalSize])).toEqual([
      [10, 35],
      [10, 35],
      [10, 35],
    ])
  })

  it('have a total that is wrong, or another on each page', async () => {
    const totals = async (api: ApiFaults) =>
      (await walk(await sceneWith(api))).pages.map((page) => page.totalSize)
    expect(await totals({ wrongTotal: 1 })).toEqual([36, 36, 36, 36])
    expect(await totals({ wrongTotal: { page: 2 } })).toEqual([35, 36, 35, 35])
    expect(new Set(await totals({ movingTotal: 1 })).size).toBe(4)
  })

  it('are in the order of the last change: who changes meanwhile is seen twice, and another slips past', async () => {
    const scene = await sceneWith({ orderByUpdate: true })
    const { sdk, organization, directory, simulator } = scene
    const before = simulator.environment.roster(directory.id).users
    const page = (pageToken: string) =>
      sdk.directory.listDirectoryUsers(organization.id, directory.id, { pageSize: 30, pageToken })
    const first = await page('')
    simulator.environment.updateUser(before[0]?.id ?? '', { attributes: { title: 'CTO' } })
    const second = await page(first.nextPageToken)
    const seen = [...first.users, ...second.users].map(({ id }) => id)
    expect(seen.filter((id) => id === before[0]?.id)).toHaveLength(2)
    expect(seen).not.toContain(before[30]?.id)
  })

  it('shift when somebody leaves during a walk, as offsets do', async () => {
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
