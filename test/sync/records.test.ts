import { createDispatcher, type DirectoryEvent, isDirectoryEvent } from '@scalekit-scim/core'
import {
  type ApiUser,
  directoryGroups,
  directoryUsers,
  groupEvent,
  scalekitFromEnv,
  type UserRecord,
  userEvent,
} from '@scalekit-scim/core/sync'
import { createSimulator } from '@scalekit-scim/simulator'
import { describe, expect, test } from 'vitest'
import { groupKind, userKind } from '../../packages/core/src/sync/reading/records.ts'
import { all, apiOf, apiUser, directory, inPages } from './in-process-api.ts'

const record = (fields: Partial<ApiUser>, detailed = true): UserRecord =>
  userKind.record(apiUser('diruser_1', fields), directory, detailed)
const detail = (userDetail: Record<string, unknown>) => record({ userDetail }).data
const identity = { id: 'diruser_1', organization_id: 'org_1' }

test('a user without further data has an id, an organization and no groups', () => {
  expect(record({})).toEqual({
    id: 'diruser_1',
    organizationId: 'org_1',
    directoryId: 'dir_1',
    data: { ...identity, groups: [] },
    groupIds: [],
  })
})

test("the API's fields get the names that webhooks use", () => {
  const { data, groupIds } = record({
    email: 'amelia@example.com',
    givenName: 'Amelia',
    familyName: 'Hart',
    preferredUsername: 'amelia',
    groups: [
      { id: 'dirgroup_1', displayName: 'Engineering' },
      { id: 'dirgroup_2', displayName: '' },
    ],
  })
  expect(data).toEqual({
    ...identity,
    email: 'amelia@example.com',
    given_name: 'Amelia',
    family_name: 'Hart',
    preferred_username: 'amelia',
    groups: [{ id: 'dirgroup_1', name: 'Engineering' }, { id: 'dirgroup_2' }],
  })
  expect(groupIds).toEqual(['dirgroup_1', 'dirgroup_2'])
})

test('without details, only a list of groups with entries is used', () => {
  expect(record({}, false)).not.toHaveProperty('groupIds')
  expect(record({}, false).data).not.toHaveProperty('groups')
  const groups = [{ id: 'dirgroup_1', displayName: 'Engineering' }]
  expect(record({ groups }, false)).toMatchObject({
    data: { groups: [{ id: 'dirgroup_1', name: 'Engineering' }] },
    groupIds: ['dirgroup_1'],
  })
})

test('a stream without details leaves out empty lists of groups', async () => {
  const api = apiOf({ listDirectoryUsers: inPages([[apiUser('diruser_1')]]) })
  const [user] = await all(directoryUsers(api, directory, { includeDetail: false }))
  expect(user?.data).toEqual(identity)
})

describe('active', () => {
  test.each([
    [true, true],
    [false, false],
    ['True', true],
    ['False', false],
    ['FALSE', false],
    ['true', true],
    ['', undefined],
    ['no', undefined],
    [0, undefined],
    [1, undefined],
    [null, undefined],
    ['constructor', undefined],
  ])('%j is %j', (active, expected) => {
    const data = detail({ active })
    expect(data.active).toBe(expected)
    expect('active' in data).toBe(expected !== undefined)
  })

  test('`active` is unknown without details, and with details that do not have it', () => {
    expect(record({}).data).not.toHaveProperty('active')
    expect(detail({ userName: 'amelia' })).not.toHaveProperty('active')
  })

  test('`active` is found in upper and lower case', () => {
    expect(detail({ Active: false }).active).toBe(false)
  })
})

describe('the detail', () => {
  test('the detail becomes the raw attributes', () => {
    const userDetail = { userName: 'amelia', customField: { deep: [1] } }
    expect(detail(userDetail).raw_attributes).toEqual(userDetail)
  })

  test('the detail provides the attributes from the user’s own directory', () => {
    const { raw_attributes, ...data } = detail({
      displayName: 'Amelia Hart',
      nickName: 'Mel',
      title: 'Engineer',
      userType: 'Employee',
      preferredLanguage: 'en',
      locale: 'en-GB',
      timezone: 'Europe/London',
      profileUrl: 'https://example.com/amelia',
      photos: [{ value: 'https://example.com/amelia.png', type: 'photo' }],
      phoneNumbers: [{ value: '+44 1' }, { value: '+44 2', primary: true }],
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
        department: 'Platform',
        division: 'Product',
        costCenter: '4130',
        employeeNumber: '1042',
        organization: 'Acme',
      },
    })
    expect(data).toEqual({
      ...identity,
      groups: [],
      name: 'Amelia Hart',
      nickname: 'Mel',
      title: 'Engineer',
      user_type: 'Employee',
      language: 'en',
      locale: 'en-GB',
      zoneinfo: 'Europe/London',
      profile: 'https://example.com/amelia',
      picture: 'https://example.com/amelia.png',
      phone_number: '+44 2',
      department: 'Platform',
      division: 'Product',
      cost_center: '4130',
      employee_id: '1042',
      organization: 'Acme',
    })
  })

  test('the detail provides the display name, or the formatted name, or the parts of the name', () => {
    const name = { formatted: 'Hart, Amelia', givenName: 'Amelia', familyName: 'Hart' }
    expect(detail({ displayName: 'Mel', name }).name).toBe('Mel')
    expect(detail({ displayName: '', name }).name).toBe('Hart, Amelia')
    expect(detail({ name: { givenName: 'Amelia', familyName: 'Hart' } }).name).toBe('Amelia Hart')
    expect(record({ userDetail: { active: true }, givenName: 'Amelia' }).data.name).toBe('Amelia')
    expect(record({ givenName: 'Amelia' }).data).not.toHaveProperty('name')
  })

  test('the API’s own fields do not need the detail', () => {
    const userDetail = { name: { givenName: 'A.', familyName: 'H.' } }
    const both = record({ userDetail, givenName: 'Amelia', familyName: '' }).data
    expect(both).toMatchObject({ given_name: 'Amelia', family_name: 'H.' })
  })

  test('the detail with unexpected types stays only in the raw attributes', () => {
    const odd = { title: 7, displayName: null, name: 'Amelia', photos: 'x', phoneNumbers: [null, 'y'] }
    expect(detail(odd)).toEqual({ ...identity, groups: [], raw_attributes: odd })
  })
})

test('a time keeps its nanoseconds, as nineteen digits that compare as text', () => {
  const at = (seconds: bigint, nanos: number) => record({ updatedAt: { seconds, nanos } }).updatedAt
  expect(at(1_767_603_600n, 5)).toBe('1767603600000000005')
  expect(at(1n, 0)).toBe('0000000001000000000')
})

test('a time before 1970, or after the last year that fits, is unknown', () => {
  for (const seconds of [-62_135_596_800n, 10_000_000_000n]) {
    expect(record({ updatedAt: { seconds, nanos: 0 } })).not.toHaveProperty('updatedAt')
  }
})

test('a group has its directory, its name and its raw attributes', () => {
  const group = groupKind.record(
    { id: 'dirgroup_1', displayName: 'Engineering', groupDetail: { externalId: '00g1' } },
    directory,
    true,
  )
  expect(group).toEqual({
    id: 'dirgroup_1',
    organizationId: 'org_1',
    directoryId: 'dir_1',
    data: {
      id: 'dirgroup_1',
      organization_id: 'org_1',
      directory_id: 'dir_1',
      display_name: 'Engineering',
      raw_attributes: { externalId: '00g1' },
    },
  })
})

describe('events', () => {
  const updatedAt = { seconds: 1_767_603_600n, nanos: 5 }
  const user = record({ email: 'amelia@example.com', updatedAt })
  const group = groupKind.record({ id: 'dirgroup_1', displayName: 'Engineering', updatedAt }, directory, true)
  const at = '1767603600000000005'
  const events: [string, () => DirectoryEvent][] = [
    ['user_created', () => userEvent(user, 'created')],
    ['user_updated', () => userEvent(user, 'updated')],
    ['user_deleted', () => userKind.deletedEvent(directory, 'diruser_1', at)],
    ['group_created', () => groupEvent(group, 'created')],
    ['group_updated', () => groupEvent(group, 'updated')],
    ['group_deleted', () => groupKind.deletedEvent(directory, 'dirgroup_1', at)],
  ]

  test.each(events)('%s is a directory event with the time of its change', (name, make) => {
    const event = make()
    expect(isDirectoryEvent(event)).toBe(true)
    expect(event).toMatchObject({
      type: `organization.directory.${name}`,
      occurred_at: '2026-01-05T09:00:00.000000005Z',
      organization_id: 'org_1',
      data: { organization_id: 'org_1' },
    })
    expect(make().id).not.toBe(event.id)
  })

  test("a deletion has the user's ids and nothing else", () => {
    expect(userKind.deletedEvent(directory, 'diruser_1', at).data).toEqual(identity)
  })

  test('an event without a time is dispatched, and the time of reading decides', async () => {
    const heard: string[] = []
    const dispatcher = createDispatcher({
      store: 'memory',
      logger: false,
      onUserUpserted: (_, ctx) => heard.push(ctx.occurredAt),
    })
    const observedAt = await dispatcher.ledger.now()
    const outcome = await dispatcher.dispatch(userEvent(record({}), 'updated'), {
      source: 'sync',
      observedAt,
    })
    expect(outcome).toEqual({ outcome: 'processed' })
    expect(heard).toHaveLength(1)
    expect(heard[0]?.slice(0, 2)).toBe('20')
    await dispatcher.close()
  })
})

test('records from the API are equal to the data of their webhooks', async () => {
  await using simulator = await createSimulator()
  const { environment } = simulator
  const told = new Map<string, DirectoryEvent>()
  environment.onEvent((event) => told.set(event.data.id, event))
  const { id: organizationId } = environment.createOrganization({ displayName: 'Acme' })
  const { id } = environment.createDirectory(organizationId)
  told.clear()
  const engineering = environment.createGroup(id, { displayName: 'Engineering' })
  environment.createUser(id, { attributes: { userName: 'bare' } })
  environment.createUser(id, {
    active: false,
    groupIds: [engineering.id],
    attributes: {
      userName: 'amelia.hart',
      email: 'amelia.hart@example.com',
      givenName: 'Amelia',
      familyName: 'Hart',
      nickName: 'Mel',
      picture: 'https://example.com/amelia.png',
      phoneNumber: '+44 1',
      title: 'Engineer',
      department: 'Platform',
      division: 'Product',
      costCenter: '4130',
      employeeNumber: '1042',
      userType: 'Employee',
      organization: 'Acme',
      language: 'en',
      locale: 'en-GB',
      timezone: 'Europe/London',
      profileUrl: 'https://example.com/amelia',
    },
  })

  const api = await scalekitFromEnv(simulator.variables)
  const ref = { organizationId, id }
  const records = [...(await all(directoryUsers(api, ref))), ...(await all(directoryGroups(api, ref)))]
  expect(records).toHaveLength(3)
  for (const record of records) {
    const event = told.get(record.id)
    // The API does not return these fields.
    const { dp_id, external_id, custom_attributes, roles, ...known }: Record<string, unknown> = {
      ...event?.data,
    }
    expect(record.data).toEqual(known)
    // The API's time has nanoseconds, and the webhook's time has microseconds.
    expect(`${event?.occurred_at.slice(0, -1)}000Z`).toBe(
      userEvent({ ...record, data: identity }, 'updated').occurred_at,
    )
  }
})
