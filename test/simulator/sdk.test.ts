import {
  ScalekitBadRequestException,
  ScalekitClient,
  ScalekitConflictException,
  ScalekitNotFoundException,
  ScalekitTooManyRequestsException,
} from '@scalekit-sdk/node'
import {
  DirectoryProvider,
  DirectoryType,
} from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'
import { describe, expect, it } from 'vitest'
import { accessTokenOf, hire, refusal, sdkOf, startScene, walk } from './scene.ts'

/** The number of the gRPC code. */
const invalidArgument = 3

describe('directories', () => {
  it('directories are listed and returned, also disabled ones', async () => {
    const { simulator, sdk, organization, directory } = await startScene()
    simulator.environment.createUser(directory.id, { attributes: { userName: 'ann' } })
    simulator.environment.createDirectory(organization.id, { provider: 'GOOGLE', enabled: false })
    const { directories } = await sdk.directory.listDirectories(organization.id)
    expect(directories.map(({ enabled, directoryProvider }) => [enabled, directoryProvider])).toEqual([
      [true, DirectoryProvider.OKTA],
      [false, DirectoryProvider.GOOGLE],
    ])
    const { directory: found } = await sdk.directory.getDirectory(organization.id, directory.id)
    expect(found).toMatchObject({
      id: directory.id,
      organizationId: organization.id,
      directoryType: DirectoryType.SCIM,
      directoryEndpoint: `${simulator.url}/scim/v2/${directory.id}`,
      totalUsers: 1,
      totalGroups: 0,
    })
    const primary = await sdk.directory.getPrimaryDirectoryByOrganizationId(organization.id)
    expect(primary.id).toBe(directory.id)
  })

  it('the SDK rejects with a bare string if an organization has no primary directory', async () => {
    const { simulator, sdk } = await startScene()
    const empty = simulator.environment.createOrganization({ displayName: 'Empty' })
    const reason = await refusal(sdk.directory.getPrimaryDirectoryByOrganizationId(empty.id))
    expect(reason).toBe('directory does not exist for organization')
  })

  it('directories are disabled and enabled, with events', async () => {
    const { simulator, sdk, organization, directory } = await startScene()
    const types: string[] = []
    simulator.environment.onEvent(({ type }) => types.push(type))
    expect(await sdk.directory.disableDirectory(organization.id, directory.id)).toMatchObject({
      enabled: false,
    })
    expect(await sdk.directory.enableDirectory(organization.id, directory.id)).toMatchObject({
      enabled: true,
    })
    expect(types).toEqual(['organization.directory_disabled', 'organization.directory_enabled'])
  })

  it('directories are created and deleted', async () => {
    const { sdk, organization } = await startScene()
    const { directory } = await sdk.directory.createDirectory(organization.id, {
      $typeName: 'scalekit.v1.directories.CreateDirectory',
      directoryType: DirectoryType.SCIM,
      directoryProvider: DirectoryProvider.JUMPCLOUD,
    })
    expect(directory).toMatchObject({ directoryProvider: DirectoryProvider.JUMPCLOUD, enabled: false })
    const id = directory?.id ?? ''
    await sdk.directory.deleteDirectory(organization.id, id)
    expect(await refusal(sdk.directory.getDirectory(organization.id, id))).toBeInstanceOf(
      ScalekitNotFoundException,
    )
  })

  it('directories of another organization are not found', async () => {
    const { simulator, sdk, directory } = await startScene()
    const other = simulator.environment.createOrganization({ displayName: 'Other' })
    const calls = [
      sdk.directory.getDirectory(other.id, directory.id),
      sdk.directory.listDirectoryUsers(other.id, directory.id),
      sdk.directory.listDirectoryGroups(other.id, directory.id),
      sdk.directory.disableDirectory(other.id, directory.id),
      sdk.directory.deleteDirectory(other.id, directory.id),
      sdk.directory.listDirectories('org_1'),
    ]
    for (const call of calls) expect(await refusal(call)).toBeInstanceOf(ScalekitNotFoundException)
  })
})

describe('users', () => {
  it('users have their groups and, on request, the attributes of the directory', async () => {
    const { simulator, sdk, organization, directory } = await startScene()
    const group = simulator.environment.createGroup(directory.id, { displayName: 'Engineering' })
    const ann = simulator.environment.createUser(directory.id, {
      attributes: {
        userName: 'ann',
        email: 'ann@acme.example',
        givenName: 'Ann',
        familyName: 'Lee',
        title: 'CTO',
      },
      active: false,
      groupIds: [group.id],
    })
    const list = async (includeDetail: boolean) => {
      const page = await sdk.directory.listDirectoryUsers(organization.id, directory.id, { includeDetail })
      return page.users[0]
    }
    const plain = await list(false)
    expect(plain).toMatchObject({
      id: ann.id,
      email: 'ann@acme.example',
      preferredUsername: 'ann',
      givenName: 'Ann',
      familyName: 'Lee',
      emails: ['ann@acme.example'],
    })
    expect(plain?.groups.map(({ id, displayName }) => ({ id, displayName }))).toEqual([
      { id: group.id, displayName: 'Engineering' },
    ])
    expect(plain?.userDetail).toBeUndefined()
    const micros = Number(plain?.updatedAt?.seconds) * 1e6 + Number(plain?.updatedAt?.nanos) / 1e3
    expect(micros).toBe(ann.updatedAtMicros)
    expect((await list(true))?.userDetail).toMatchObject({ userName: 'ann', active: false, title: 'CTO' })
  })

  it('users are paged in the order of their creation', async () => {
    const scene = await startScene()
    const users = hire(scene, 25)
    const { pages, ids } = await walk(scene)
    expect(pages.map(({ users: { length }, totalSize }) => [length, totalSize])).toEqual([
      [10, 25],
      [10, 25],
      [5, 25],
    ])
    expect(ids).toEqual(users.map(({ id }) => id))
  })

  it('a page of users has 10 users by default', async () => {
    const scene = await startScene()
    hire(scene, 31)
    const { sdk, organization, directory } = scene
    const size = async (options?: { pageSize: number }) =>
      (await sdk.directory.listDirectoryUsers(organization.id, directory.id, options)).users.length
    expect(await size()).toBe(10)
    expect(await size({ pageSize: 30 })).toBe(30)
  })

  it('users are filtered by the time of their last change and by group', async () => {
    const scene = await startScene()
    const { simulator, sdk, organization, directory } = scene
    const { environment } = simulator
    const [first, second, third] = hire(scene, 3)
    if (!first || !second || !third) throw new Error('three were hired')
    const sales = environment.createGroup(directory.id, { displayName: 'Sales' })
    const changed = environment.addMember(sales.id, second.id)
    const ids = async (options: { updatedAfter?: string; directoryGroupId?: string }) => {
      const page = await sdk.directory.listDirectoryUsers(organization.id, directory.id, options)
      expect(page.totalSize).toBe(page.users.length)
      return page.users.map(({ id }) => id)
    }
    expect(await ids({ directoryGroupId: sales.id })).toEqual([second.id])
    const beforeAll = new Date(first.updatedAtMicros / 1000 - 1).toISOString()
    const afterAll = new Date(changed.updatedAtMicros / 1000 + 1).toISOString()
    expect(await ids({ updatedAfter: beforeAll })).toEqual([first.id, second.id, third.id])
    expect(await ids({ updatedAfter: afterAll })).toEqual([])
    environment.removeMember(sales.id, second.id)
    expect(await ids({ directoryGroupId: sales.id })).toEqual([])
    const unknown = sdk.directory.listDirectoryUsers(organization.id, directory.id, {
      directoryGroupId: 'dirgroup_1',
    })
    expect(await refusal(unknown)).toBeInstanceOf(ScalekitNotFoundException)
  })
})

it('the SDK lists groups with the number of their members', async () => {
  const scene = await startScene()
  const { simulator, sdk, organization, directory } = scene
  const [user] = hire(scene, 1)
  const group = simulator.environment.createGroup(directory.id, { displayName: 'Sales', externalId: '00g1' })
  simulator.environment.addMember(group.id, user?.id ?? '')
  const page = await sdk.directory.listDirectoryGroups(organization.id, directory.id, { includeDetail: true })
  expect(page.totalSize).toBe(1)
  expect(page.groups[0]).toMatchObject({
    id: group.id,
    displayName: 'Sales',
    totalUsers: 1,
    groupDetail: { displayName: 'Sales', externalId: '00g1' },
  })
})

describe('organizations', () => {
  it('organizations are created, found, changed and deleted', async () => {
    const { sdk } = await startScene()
    const { organization: made } = await sdk.organization.createOrganization('Globex', {
      externalId: 'globex',
    })
    const id = made?.id ?? ''
    expect((await sdk.organization.getOrganization(id)).organization?.displayName).toBe('Globex')
    await sdk.organization.updateOrganizationByExternalId('globex', { displayName: 'Globex AG' })
    const { organization } = await sdk.organization.getOrganizationByExternalId('globex')
    expect(organization).toMatchObject({ id, displayName: 'Globex AG' })
    await sdk.organization.deleteOrganization(id)
    expect(await refusal(sdk.organization.getOrganization(id))).toBeInstanceOf(ScalekitNotFoundException)
  })

  it('organizations are listed and searched', async () => {
    const { simulator, sdk } = await startScene()
    for (let index = 0; index < 11; index++) {
      simulator.environment.createOrganization({ displayName: `Branch ${index}` })
    }
    const first = await sdk.organization.listOrganization({ pageSize: 10 })
    expect([first.organizations.length, first.totalSize]).toEqual([10, 12])
    const rest = await sdk.organization.listOrganization({ pageSize: 10, pageToken: first.nextPageToken })
    expect(rest.organizations.map(({ displayName }) => displayName)).toEqual(['Branch 9', 'Branch 10'])
    expect((await sdk.organization.searchOrganization('branch', 30)).totalSize).toBe(11)
  })

  it('organizations conflict if the external id is taken', async () => {
    const { sdk } = await startScene()
    const call = sdk.organization.createOrganization('Acme again', { externalId: 'acme' })
    expect(await refusal(call)).toBeInstanceOf(ScalekitConflictException)
  })
})

describe('a violation of the descriptors is a bad request:', () => {
  it.each([
    ['a page of 31 users', { pageSize: 31 }],
    ['a group id of another kind', { directoryGroupId: 'diruser_1' }],
    ['an invalid page token', { pageToken: 'next' }],
  ])('%s', async (_, options) => {
    const { sdk, organization, directory } = await startScene()
    const error = await refusal(sdk.directory.listDirectoryUsers(organization.id, directory.id, options))
    expect(error).toBeInstanceOf(ScalekitBadRequestException)
    expect(error).toMatchObject({ httpStatus: 400, grpcStatus: invalidArgument })
  })

  it('a page token of another listing', async () => {
    const scene = await startScene()
    const { simulator, sdk, organization, directory } = scene
    hire(scene, 11)
    const other = simulator.environment.createDirectory(organization.id)
    for (let index = 0; index < 10; index++) {
      simulator.environment.createOrganization({ displayName: `Branch ${index}` })
    }
    const users = (directoryId: string, options: object) =>
      sdk.directory.listDirectoryUsers(organization.id, directoryId, { pageSize: 10, ...options })
    const { nextPageToken: pageToken } = await users(directory.id, {})
    const { nextPageToken: ofOrganizations } = await sdk.organization.listOrganization({ pageSize: 10 })
    const calls = [
      users(other.id, { pageToken }),
      users(directory.id, { pageToken, updatedAfter: '2026-01-01T00:00:00Z' }),
      users(directory.id, { pageToken: ofOrganizations }),
      sdk.directory.listDirectoryGroups(organization.id, directory.id, { pageToken }),
      sdk.organization.listOrganization({ pageSize: 10, pageToken }),
    ]
    for (const call of calls) expect(await refusal(call)).toBeInstanceOf(ScalekitBadRequestException)
    // The page size and the detail do not change the listing.
    expect((await users(directory.id, { pageToken, pageSize: 5, includeDetail: true })).users).toHaveLength(1)
  })

  it('a page of 31 groups, of 101 organizations, ids without their prefix', async () => {
    const { sdk, organization, directory } = await startScene()
    const calls = [
      sdk.directory.listDirectoryGroups(organization.id, directory.id, { pageSize: 31 }),
      sdk.organization.listOrganization({ pageSize: 101 }),
      sdk.directory.listDirectories('acme'),
      sdk.directory.listDirectoryUsers(organization.id, 'acme'),
    ]
    for (const call of calls) expect(await refusal(call)).toBeInstanceOf(ScalekitBadRequestException)
  })

  it('the error names the field', async () => {
    const { sdk, organization, directory } = await startScene()
    const error = await refusal(
      sdk.directory.listDirectoryUsers(organization.id, directory.id, { pageSize: 31 }),
    )
    expect(error).toMatchObject({
      errDetails: [
        { validationErrorInfo: { fieldViolations: [{ field: 'page_size', constraint: 'uint32.lte' }] } },
      ],
    })
  })
})

describe('access tokens', () => {
  it('access tokens that have expired are replaced by the SDK', async () => {
    const { simulator, sdk, organization } = await startScene({ clockSpeed: 0, tokenSeconds: 60 })
    const tokenAfterCall = async () => {
      await sdk.directory.listDirectories(organization.id)
      return accessTokenOf(sdk)
    }
    const first = await tokenAfterCall()
    await simulator.step(59_999)
    expect(await tokenAfterCall()).toBe(first)
    await simulator.step(1)
    expect(await tokenAfterCall()).not.toBe(first)
  })

  it('wrong access tokens are also replaced', async () => {
    const { sdk, organization } = await startScene()
    Reflect.set(Reflect.get(sdk.directory, 'coreClient'), 'accessToken', 'wrong')
    const { directories } = await sdk.directory.listDirectories(organization.id)
    expect(directories).toHaveLength(1)
    expect(accessTokenOf(sdk)).not.toBe('wrong')
  })

  it('access tokens are verified by the SDK with the served keys', async () => {
    const { simulator, sdk, organization } = await startScene()
    await sdk.directory.listDirectories(organization.id)
    const token = accessTokenOf(sdk)
    const { SCALEKIT_CLIENT_ID: clientId = '' } = simulator.variables
    expect(await sdk.validateAccessToken(token, { issuer: simulator.url, audience: [clientId] })).toBe(true)
    const [head, body] = token.split('.')
    expect(await sdk.validateAccessToken(`${head}.${body}.${'A'.repeat(342)}`)).toBe(false)
  })

  it('access tokens are refused to a wrong client with a raw AxiosError and the OAuth error', async () => {
    const { simulator } = await startScene()
    const { SCALEKIT_CLIENT_ID: clientId = '' } = simulator.variables
    const stranger = new ScalekitClient(simulator.url, clientId, 'wrong')
    expect(await refusal(stranger.directory.listDirectories('org_1'))).toMatchObject({
      name: 'AxiosError',
      response: { status: 401, data: { error: 'invalid_client' } },
    })
  })

  it('access tokens are not issued for another grant', async () => {
    const { simulator } = await startScene()
    const body = new URLSearchParams({ grant_type: 'password' })
    const response = await fetch(`${simulator.url}/oauth/token`, { method: 'POST', body })
    expect([response.status, await response.json()]).toMatchObject([400, { error: 'unsupported_grant_type' }])
  })
})

it('the simulator limits the requests per minute if the option is set', async () => {
  const { simulator, sdk, organization } = await startScene({ requestsPerMinute: 2, clockSpeed: 0 })
  await sdk.directory.listDirectories(organization.id)
  await sdk.directory.listDirectories(organization.id)
  const error = await refusal(sdk.directory.listDirectories(organization.id))
  expect(error).toBeInstanceOf(ScalekitTooManyRequestsException)
  expect(error).toMatchObject({ httpStatus: 429 })
  await simulator.step(60_000)
  await sdk.directory.listDirectories(organization.id)
})

it('the simulator has the same ids and credentials for the same seed, and others for another seed', async () => {
  const made = async (seed: string) => {
    const scene = await startScene({ seed })
    const { SCALEKIT_ENVIRONMENT_URL: _, ...credentials } = scene.simulator.variables
    return { credentials, organization: scene.organization.id, token: scene.directory.scimToken }
  }
  const first = await made('one')
  expect(await made('one')).toEqual(first)
  const other = await made('two')
  expect(other.credentials).not.toEqual(first.credentials)
  expect([other.organization, other.token]).not.toEqual([first.organization, first.token])
})

it('the simulator answers many SDKs at the same time over both protocols', async () => {
  const { simulator, organization } = await startScene()
  const sdks = Array.from({ length: 10 }, () => sdkOf(simulator))
  const answers = await Promise.all(sdks.map((sdk) => sdk.directory.listDirectories(organization.id)))
  expect(answers.every(({ directories }) => directories.length === 1)).toBe(true)
})

it('the simulator closes although clients keep their connections open', async () => {
  const { simulator, sdk, organization } = await startScene()
  await sdk.directory.listDirectories(organization.id)
  await simulator.close()
  await expect(fetch(`${simulator.url}/keys`)).rejects.toThrow()
})
