import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectError, groupSchema, openScimDirectory, type ScimDirectory, told } from './scim-directory.ts'

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

describe('a group', () => {
  it('is created with its members, each of whom is told', async () => {
    const users = [await scim.createUser(), await scim.createUser({ userName: 'grace@acme.test' })]
    told(scim.events)
    const id = await scim.createGroup('Engineers', ...users)
    expect(told(scim.events)).toEqual(['group_created', 'user_updated', 'user_updated'])
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

  it('is replaced by PUT, members too', async () => {
    const [one, two] = [await scim.createUser(), await scim.createUser({ userName: 'grace@acme.test' })]
    const id = await scim.createGroup('Engineers', one)
    told(scim.events)
    const { status, body } = await scim.send('PUT', `/Groups/${id}`, {
      schemas: [groupSchema],
      displayName: 'Sailors',
      members: [{ value: two }],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ displayName: 'Sailors', members: [{ value: two }] })
    expect(body.members).toHaveLength(1)
    expect(told(scim.events)).toEqual(['group_updated', 'user_updated', 'user_updated'])
  })

  it('lets a thousand join by one PATCH, and tells of each', async () => {
    const { environment, directory, events } = scim
    const members = environment.silently(() =>
      Array.from({ length: 1000 }, (_, index) => ({
        value: environment.createUser(directory.id, { attributes: { userName: `user${index}` } }).id,
      })),
    )
    const id = await scim.createGroup('All')
    told(events)
    const { status, body } = await scim.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: members })
    expect([status, body]).toEqual([204, undefined])
    expect(events.map(({ data }) => data.id)).toEqual(members.map(({ value }) => value))
    expect(environment.roster(directory.id).memberCount(id)).toBe(1000)
  })

  it('adds nobody where one of the members is nobody here', async () => {
    const user = await scim.createUser()
    const id = await scim.createGroup('All')
    told(scim.events)
    const value = [{ value: user }, { value: 'diruser_1' }]
    expectError(await scim.patch(`/Groups/${id}`, { op: 'add', path: 'members', value }), 400, 'invalidValue')
    expect(told(scim.events)).toEqual([])
  })

  it.each([
    ['none', [], 2],
    ['nobody that is in it', [{ value: 'diruser_1' }], 2],
    ['no list at all', undefined, 0],
  ])('loses by a removal that names %s', async (_case, value, left) => {
    const one = await scim.createUser({ userName: 'one' })
    const two = await scim.createUser({ userName: 'two' })
    const id = await scim.createGroup('All', one, two)
    await scim.patch(`/Groups/${id}`, { op: 'remove', path: 'members', value })
    expect(scim.environment.roster(scim.directory.id).memberCount(id)).toBe(left)
  })

  it('answers a PATCH with itself where attributes are named', async () => {
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

  it('is deleted: its members are told', async () => {
    const id = await scim.createGroup('All', await scim.createUser())
    told(scim.events)
    expect((await scim.send('DELETE', `/Groups/${id}`)).status).toBe(204)
    expect(told(scim.events)).toEqual(['group_deleted', 'user_updated'])
    expectError(await scim.send('GET', `/Groups/${id}`), 404)
  })
})
