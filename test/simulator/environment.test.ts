import type { DirectoryEvent } from '@scalekit-scim/core'
import { createFakeClock } from '@scalekit-scim/core/testing'
import { type Directory, EnvironmentError } from '@scalekit-scim/simulator'
import { describe, expect, it } from 'vitest'
import { Environment } from '../../packages/simulator/src/environment/environment.ts'
import { createRandomness } from '../../packages/simulator/src/randomness.ts'

interface Scene {
  environment: Environment
  directory: Directory
  /** Returns the events since its last call. */
  takeEvents: () => DirectoryEvent[]
}

function startScene(): Scene {
  const environment = new Environment({ clock: createFakeClock(), randomness: createRandomness('test') })
  const events: DirectoryEvent[] = []
  environment.onEvent((event) => events.push(event))
  const organization = environment.createOrganization({ displayName: 'Acme' })
  const directory = environment.createDirectory(organization.id)
  const takeEvents = () => events.splice(0)
  takeEvents()
  return { environment, directory, takeEvents }
}

const types = (events: readonly DirectoryEvent[]) =>
  events.map(({ type }) => type.replace('organization.', ''))

function reasonOf(change: () => unknown): string | undefined {
  try {
    change()
  } catch (error) {
    if (error instanceof EnvironmentError) return error.reason
    throw error
  }
  return undefined
}

describe('each change publishes the event that Scalekit sends:', () => {
  it('a new user', () => {
    const { environment, directory, takeEvents } = startScene()
    const user = environment.createUser(directory.id, {
      externalId: '00u1',
      attributes: { userName: 'ann', email: 'ann@acme.example', givenName: 'Ann', familyName: 'Lee' },
    })
    const [event] = takeEvents()
    expect(event).toMatchObject({
      spec_version: '1',
      type: 'organization.directory.user_created',
      object: 'DirectoryUser',
      environment_id: environment.id,
      organization_id: directory.organizationId,
      occurred_at: '2026-11-23T09:00:00.000002Z',
      data: {
        id: user.id,
        dp_id: '00u1',
        active: true,
        email: 'ann@acme.example',
        name: 'Ann Lee',
        preferred_username: 'ann',
        groups: [],
        raw_attributes: { userName: 'ann', name: { givenName: 'Ann', familyName: 'Lee' } },
      },
    })
    expect(JSON.parse(JSON.stringify(event))).toEqual(event)
  })

  it('an update, a deactivation and a removed attribute', () => {
    const { environment, directory, takeEvents } = startScene()
    const { id } = environment.createUser(directory.id, { attributes: { userName: 'ann', title: 'CTO' } })
    takeEvents()
    environment.updateUser(id, { attributes: { department: 'IT' } })
    environment.updateUser(id, { active: false })
    environment.updateUser(id, { attributes: { title: null } })
    const events = takeEvents()
    expect(types(events)).toEqual(Array(3).fill('directory.user_updated'))
    expect(events.map(({ data }) => data)).toMatchObject([
      { title: 'CTO', department: 'IT', active: true },
      { title: 'CTO', department: 'IT', active: false },
      { department: 'IT', active: false },
    ])
    expect(events[2]?.data).not.toHaveProperty('title')
  })

  it('a deletion, with the ids and the email only', () => {
    const { environment, directory, takeEvents } = startScene()
    const { id } = environment.createUser(directory.id, {
      externalId: '00u1',
      attributes: { userName: 'ann', email: 'ann@acme.example', title: 'CTO' },
    })
    takeEvents()
    environment.deleteUser(id)
    const [event] = takeEvents()
    expect(event).toMatchObject({ type: 'organization.directory.user_deleted' })
    expect(event?.data).toEqual({
      id,
      organization_id: directory.organizationId,
      dp_id: '00u1',
      email: 'ann@acme.example',
    })
    expect(reasonOf(() => environment.user(id))).toBe('not-found')
  })

  it('groups, whose memberships are in the events of their members', () => {
    const { environment, directory, takeEvents } = startScene()
    const { id } = environment.createUser(directory.id, { attributes: { userName: 'ann' } })
    takeEvents()
    const group = environment.createGroup(directory.id, { displayName: 'Sales' })
    environment.addMember(group.id, id)
    environment.updateGroup(group.id, { displayName: 'Field sales' })
    environment.removeMember(group.id, id)
    const events = takeEvents()
    expect(types(events)).toEqual([
      'directory.group_created',
      'directory.user_updated',
      'directory.group_updated',
      'directory.user_updated',
    ])
    expect(events.map(({ data }) => data)).toMatchObject([
      { id: group.id, display_name: 'Sales' },
      { groups: [{ id: group.id, name: 'Sales' }] },
      { display_name: 'Field sales' },
      { groups: [] },
    ])
  })

  it('a deleted group, and then each of its members', () => {
    const { environment, directory, takeEvents } = startScene()
    const sales = environment.createGroup(directory.id, { displayName: 'Sales' })
    const all = environment.createGroup(directory.id, { displayName: 'All' })
    const groupIds = [sales.id, all.id]
    const [ann, bob] = ['ann', 'bob'].map((userName) =>
      environment.createUser(directory.id, { attributes: { userName }, groupIds }),
    )
    environment.createUser(directory.id, { attributes: { userName: 'carl' }, groupIds: [all.id] })
    takeEvents()
    environment.deleteGroup(sales.id)
    const events = takeEvents()
    expect(events.map(({ type, data }) => [type, data.id])).toEqual([
      ['organization.directory.group_deleted', sales.id],
      ['organization.directory.user_updated', ann?.id],
      ['organization.directory.user_updated', bob?.id],
    ])
    expect(events[1]?.data).toMatchObject({ groups: [{ id: all.id }] })
    expect(environment.user(bob?.id ?? '').groupIds).toEqual([all.id])
    expect(reasonOf(() => environment.group(sales.id))).toBe('not-found')
  })

  it('directories that are enabled and disabled', () => {
    const { environment, directory, takeEvents } = startScene()
    environment.createDirectory(directory.organizationId, { enabled: false })
    environment.setDirectoryEnabled(directory.id, false)
    environment.setDirectoryEnabled(directory.id, true)
    environment.createDirectory(directory.organizationId)
    const events = takeEvents()
    expect(types(events)).toEqual(['directory_disabled', 'directory_enabled', 'directory_enabled'])
    expect(events[0]?.data).toMatchObject({ id: directory.id, enabled: false })
  })
})

describe('no event is published', () => {
  it('no event is published for a change that changes nothing', () => {
    const { environment, directory, takeEvents } = startScene()
    const group = environment.createGroup(directory.id, { displayName: 'Sales' })
    const user = environment.createUser(directory.id, {
      attributes: { userName: 'ann', title: 'CTO' },
      groupIds: [group.id],
    })
    takeEvents()
    environment.updateUser(user.id, { active: true, attributes: { title: 'CTO', department: null } })
    environment.updateUser(user.id, { groupIds: [group.id, group.id] })
    environment.addMember(group.id, user.id)
    environment.updateGroup(group.id, { displayName: 'Sales' })
    environment.setDirectoryEnabled(directory.id, true)
    expect(takeEvents()).toEqual([])
    expect(environment.user(user.id)).toBe(user)
  })

  it('no event is published for organizations, silent changes and a deleted directory', () => {
    const { environment, directory, takeEvents } = startScene()
    const { id } = environment.createOrganization({ displayName: 'Other' })
    environment.updateOrganization(id, { displayName: 'Another' })
    environment.silently(() => environment.createUser(directory.id, { attributes: { userName: 'ann' } }))
    environment.deleteDirectory(directory.id)
    environment.deleteOrganization(id)
    expect(takeEvents()).toEqual([])
  })

  it('no event is published for a refused change', () => {
    const { environment, directory, takeEvents } = startScene()
    const ann = environment.createUser(directory.id, { attributes: { userName: 'ann' } })
    const bob = environment.createUser(directory.id, { attributes: { userName: 'bob' } })
    takeEvents()
    const create = (userName: string) => environment.createUser(directory.id, { attributes: { userName } })
    expect(reasonOf(() => create('ANN'))).toBe('conflict')
    expect(reasonOf(() => create(' '))).toBe('invalid')
    expect(reasonOf(() => environment.updateUser(bob.id, { attributes: { userName: 'Ann' } }))).toBe(
      'conflict',
    )
    expect(reasonOf(() => environment.updateUser(bob.id, { groupIds: ['dirgroup_1'] }))).toBe('not-found')
    expect(reasonOf(() => environment.createGroup(directory.id, { displayName: '' }))).toBe('invalid')
    const taken = { id: ann.id, attributes: { userName: 'carl' } }
    expect(reasonOf(() => environment.createUser(directory.id, taken))).toBe('conflict')
    expect(takeEvents()).toEqual([])
    expect(environment.user(bob.id)).toBe(bob)
  })
})

it('the environment refuses changes of users and groups while the directory is disabled, and still shows them', () => {
  const { environment, directory, takeEvents } = startScene()
  const group = environment.createGroup(directory.id, { displayName: 'Sales' })
  const user = environment.createUser(directory.id, { attributes: { userName: 'ann' } })
  environment.setDirectoryEnabled(directory.id, false)
  takeEvents()
  const changes = [
    () => environment.createUser(directory.id, { attributes: { userName: 'bob' } }),
    () => environment.updateUser(user.id, { active: false }),
    () => environment.deleteUser(user.id),
    () => environment.createGroup(directory.id, { displayName: 'All' }),
    () => environment.updateGroup(group.id, { displayName: 'All' }),
    () => environment.deleteGroup(group.id),
    () => environment.addMember(group.id, user.id),
  ]
  expect(changes.map(reasonOf)).toEqual(changes.map(() => 'directory-disabled'))
  expect(takeEvents()).toEqual([])
  expect(environment.contents(directory.id).users).toEqual([user])
})

it('the environment accepts a userName again after its user was deleted or renamed', () => {
  const { environment, directory } = startScene()
  const create = () => environment.createUser(directory.id, { attributes: { userName: 'ann' } })
  const first = create()
  environment.updateUser(first.id, { attributes: { userName: 'ann.lee' } })
  const second = create()
  environment.deleteUser(second.id)
  expect(create().id).not.toBe(second.id)
})

it('the environment gives each change a later time than the previous one', () => {
  const { environment, directory, takeEvents } = startScene()
  for (let index = 0; index < 5; index++) {
    environment.createUser(directory.id, { attributes: { userName: `user${index}` } })
  }
  const times = takeEvents().map((event) => event.occurred_at)
  expect(times.toSorted()).toEqual(times)
  expect(new Set(times).size).toBe(5)
})

it('the environment deletes the users and groups of a deleted directory', () => {
  const { environment, directory } = startScene()
  const user = environment.createUser(directory.id, { attributes: { userName: 'ann' } })
  const group = environment.createGroup(directory.id, { displayName: 'Sales' })
  environment.deleteOrganization(directory.organizationId)
  const finds = [
    () => environment.organization(directory.organizationId),
    () => environment.directory(directory.id),
    () => environment.contents(directory.id),
    () => environment.user(user.id),
    () => environment.group(group.id),
  ]
  expect(finds.map(reasonOf)).toEqual(finds.map(() => 'not-found'))
})

it('the environment calls the change listener at every change', () => {
  const { environment, directory } = startScene()
  let changes = 0
  const stop = environment.onChange(() => changes++)
  const { id } = environment.silently(() => environment.createOrganization({ displayName: 'Other' }))
  environment.updateOrganization(id, { displayName: 'Other' })
  expect(changes).toBe(1)
  environment.deleteOrganization(id)
  expect(changes).toBe(2)
  stop()
  environment.setDirectoryEnabled(directory.id, false)
  expect(changes).toBe(2)
})
