import { setTimeout } from 'node:timers/promises'
import {
  directories,
  directoryUsers,
  type Organizations,
  type ReadOptions,
  type Retry,
} from '@scalekit-scim/core/sync'
import { type ApiFaults, createSimulator, type Simulator } from '@scalekit-scim/simulator'
import { ScalekitClient } from '@scalekit-sdk/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { all, hastyClock } from './in-process-api.ts'

let simulator: Simulator
let directory: { organizationId: string; id: string }
const ids: string[] = []

beforeAll(async () => {
  simulator = await createSimulator()
  const { environment } = simulator
  const organization = environment.createOrganization({ displayName: 'Acme' })
  directory = { organizationId: organization.id, id: environment.createDirectory(organization.id).id }
  for (let number = 0; number < 100; number++) {
    ids.push(environment.createUser(directory.id, { attributes: { userName: `user.${number}` } }).id)
  }
})
afterAll(() => simulator.close())
beforeEach(() => simulator.setFaults({ api: {} }))

/** Each test has its own client, which has no token yet. */
function client(clientSecret = simulator.variables.SCALEKIT_CLIENT_SECRET ?? ''): ScalekitClient {
  return new ScalekitClient(simulator.url, simulator.variables.SCALEKIT_CLIENT_ID ?? '', clientSecret)
}

/** Runs a whole walk, and returns its records and the errors that a retry has fixed. */
async function walk(options: ReadOptions = {}, api = client()) {
  const retries: Retry[] = []
  const records = await all(
    directoryUsers(api, directory, {
      clock: hastyClock,
      onRetry: (retry) => retries.push(retry),
      ...options,
    }),
  )
  return { ids: records.map(({ id }) => id), retries }
}

describe('a failure that a retry fixes loses no record:', () => {
  const page = { method: 'listDirectoryUsers', page: 2, times: 1 }
  test.each<[string, ApiFaults, string, boolean]>([
    ['ResourceExhausted', { resourceExhausted: page }, 'ScalekitTooManyRequestsException', true],
    ['Internal', { internal: page }, 'ScalekitInternalServerException', false],
    ['DeadlineExceeded', { deadlineExceeded: page }, 'ScalekitGatewayTimeoutException', false],
    ['Canceled', { canceled: page }, 'ScalekitCancelledException', false],
    ['a canceled call', { cutCall: page }, 'ScalekitCancelledException', false],
    ['a connection that is reset', { resetConnection: page }, 'ScalekitConflictException', false],
    ['a token endpoint that is down', { tokenFailure: { times: 1 } }, 'AxiosError', false],
  ])('%s', async (_, api, name, rateLimited) => {
    simulator.setFaults({ api })
    const { ids: seen, retries } = await walk()
    expect(seen).toEqual(ids)
    expect(retries).toMatchObject([{ attempt: 1, rateLimited, error: { name } }])
  })

  test('Unavailable, for longer than the SDK’s own four calls', async () => {
    simulator.setFaults({ api: { unavailable: { ...page, times: 4 } } })
    const { ids: seen, retries } = await walk()
    expect(seen).toEqual(ids)
    expect(retries).toMatchObject([{ error: { name: 'ScalekitServiceUnavailableException' } }])
  })
})

describe('a failure that no retry can fix is thrown at once:', () => {
  const refused = async (walking: Promise<unknown>) => {
    const error: unknown = await walking.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return error
  }
  const never = () => {
    throw new Error('it was retried')
  }

  test('wrong credentials', async () => {
    expect(await refused(walk({ onRetry: never }, client('test_wrong')))).toMatchObject({
      name: 'AxiosError',
      response: { status: 401 },
    })
  })
  test('a directory that does not exist', async () => {
    const users = directoryUsers(client(), { ...directory, id: 'dir_1' }, { onRetry: never })
    expect(await refused(users.next())).toMatchObject({ name: 'ScalekitNotFoundException' })
  })
  test('a page size over the API’s maximum', async () => {
    expect(await refused(walk({ pageSize: 31, onRetry: never }))).toMatchObject({
      name: 'ScalekitBadRequestException',
    })
  })
})

test('a repeated token ends the stream with an error', async () => {
  simulator.setFaults({ api: { repeatToken: { page: 3 } } })
  await expect(walk()).rejects.toMatchObject({ name: 'PagingError' })
})

test('an empty page does not end the stream', async () => {
  simulator.setFaults({ api: { emptyPage: { page: 2 } } })
  const { ids: seen } = await walk()
  expect(seen).toEqual([...ids.slice(0, 30), ...ids.slice(60)])
})

test('updatedAfter leaves out unchanged records', async () => {
  const id = ids[40] ?? ''
  await setTimeout(5)
  const { updatedAtMicros } = simulator.environment.updateUser(id, { active: false })
  const before = new Date(Math.floor(updatedAtMicros / 1000) - 2).toISOString()
  expect((await walk({ updatedAfter: before })).ids).toEqual([id])
})

describe('directories', () => {
  let sims: Simulator
  let expected: { organizationId: string; id: string }[]

  beforeAll(async () => {
    sims = await createSimulator({ seed: 'directories' })
    const { environment } = sims
    // The customers need more than one page. A third have no directory, and a third have a disabled directory.
    expected = []
    for (let number = 0; number < 210; number++) {
      const { id: organizationId } = environment.createOrganization({ displayName: `Customer ${number}` })
      if (number % 3 === 0) continue
      const { id } = environment.createDirectory(organizationId, { enabled: number % 3 === 1 })
      if (number % 3 === 1) expected.push({ organizationId, id })
    }
  })
  afterAll(() => sims.close())

  const api = () =>
    new ScalekitClient(
      sims.url,
      sims.variables.SCALEKIT_CLIENT_ID ?? '',
      sims.variables.SCALEKIT_CLIENT_SECRET ?? '',
    )

  test('the directories of all organizations are the enabled directories of all pages', async () => {
    expect(await all(directories(api(), 'all'))).toEqual(expected)
  })

  const forms: Record<string, (names: string[]) => Organizations> = {
    'a list': (names) => names,
    'a function': (names) => () => names,
    'an async function': (names) => async () => names,
    'a stream': (names) =>
      async function* () {
        yield* names
      },
  }
  test.each(Object.keys(forms))('the directories of %s are listed once each', async (form) => {
    const wanted = expected.slice(5, 8)
    const names = [...wanted, ...wanted].map(({ organizationId }) => organizationId)
    const organizations = forms[form]?.(names) ?? []
    expect(await all(directories(api(), organizations))).toEqual(wanted)
  })
})
