import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  expectError,
  groupSchema,
  openScimDirectory,
  type ScimDirectory,
  takeEventTypes,
} from './scim-directory.ts'

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

describe('a group', () => {
  it('a group is created with its members, and each member has an event', async () => {
    const users = [await scim.createUser(), await scim.createUser({ userName: 'grace@acme.test' })]
    takeEventTypes(scim.events)
    const id = await scim.createGroup('Engineers', ...users)
    expect(takeEventTypes(scim.events)).toEqual(['group_created', 'user_updated', 'user_updated'])
    const body = await scim.get(`/Groups/${id}`)
    expect(body.members.map(({ value }) => value)).toEqual(users)
    expect(body.members[0]).toEqual({
      value: users[0],
      $ref: `${scim.baseUrl}/Users/${users[0]}`,
      display: 'ada@acme.test',
      type: 'User',
    })
    expect((await scim.get(`/Users/${users[0]}`)).groups).toEqual([
      { value: id, $ref: `${scim.baseUrl}/Groups/${id}`, display: 'Engineers', type: 'direct' },
    ])
  })

  it('a group is replaced by PUT, with its members', async () => {
    const [one, two] = [await scim.createUser(), await scim.createUser({ userName: 'grace@acme.test' })]
    const id = await scim.createGroup('Engineers', one)
    takeEventTypes(scim.events)
    const { status, body } = await scim.send('PUT', `/Groups/${id}`, {
      schemas: [groupSchema],
      displayName: 'Sailors',
      members: [{ value: two }],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ displayName: 'Sailors', members: [{ value: two }] })
    expect(body.members).toHaveLength(1)
    expect(takeEventTypes(scim.events)).toEqual(['group_updated', 'user_updated', 'user_updated'])
  })

  it('one PATCH adds a thousand members to a group, with an event for each member', async () => {
    const { environment, directory, events } = scim
    const members = environment.silently(() =>
      Array.from({ length: 1000 }, (_, index) => ({
        value: environment.createUser(directory.id, { attributes: { userName: `user${index}` } }).id,
      })),
    )
    const id = await scim.createGroup('All')
    takeEventTypes(events)
    const { status, body } = await scim.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: members })
    expect([status, body]).toEqual([204, undefined])
    expect(events.map(({ data }) => data.id)).toEqual(members.map(({ value }) => value))
    expect(environment.contents(directory.id).memberCount(id)).toBe(1000)
  })

  it('a PATCH adds no member to a group if one of the members is unknown', async () => {
    const user = await scim.createUser()
    const id = await scim.createGroup('All')
    takeEventTypes(scim.events)
    const value = [{ value: user }, { value: 'diruser_1' }]
    expectError(await scim.patch(`/Groups/${id}`, { op: 'add', path: 'members', value }), 400, 'invalidValue')
    expect(takeEventTypes(scim.events)).toEqual([])
  })

  it.each([
    ['no members', [], 2],
    ['no current member', [{ value: 'diruser_1' }], 2],
    ['no list at all', undefined, 0],
  ])('a group handles a removal with %s', async (_case, value, left) => {
    const one = await scim.createUser({ userName: 'one' })
    const two = await scim.createUser({ userName: 'two' })
    const id = await scim.createGroup('All', one, two)
    await scim.patch(`/Groups/${id}`, { op: 'remove', path: 'members', value })
    expect(scim.environment.contents(scim.directory.id).memberCount(id)).toBe(left)
  })

  it('a PATCH that names attributes returns the group', async () => {
    const id = await scim.createGroup('All')
    const answer = await scim.patch(`/Groups/${id}?attributes=displayName`, {
      op: 'replace',
      path: 'displayName',
      value: 'Everybody',
    })
    expect([answer.status, answer.body]).toEqual([
      200,
      { schemas: [groupSchema], id, displayName: 'Everybody' },
    ])
  })

  it('a group is deleted, and its members have events', async () => {
    const id = await scim.createGroup('All', await scim.createUser())
    takeEventTypes(scim.events)
    expect((await scim.send('DELETE', `/Groups/${id}`)).status).toBe(204)
    expect(takeEventTypes(scim.events)).toEqual(['group_deleted', 'user_updated'])
    expectError(await scim.send('GET', `/Groups/${id}`), 404)
  })
})
