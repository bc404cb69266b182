import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  enterprise,
  expectError,
  groupSchema,
  openScimDirectory,
  type ScimDirectory,
  takeEventTypes,
  userSchema,
} from './scim-directory.ts'

// The requests of Okta and Entra ID, in the order of their documentation.

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

describe('Okta', () => {
  const profile = {
    schemas: [userSchema],
    userName: 'isaac.brock@acme.test',
    name: { givenName: 'Isaac', familyName: 'Brock' },
    emails: [{ primary: true, value: 'isaac.brock@acme.test', type: 'work' }],
    displayName: 'Isaac Brock',
    locale: 'en-US',
    externalId: '00ujl29u0le5T6Aj10h7',
    groups: [],
    password: '1mz050nq',
    active: true,
  }
  const lookUp = (userName: string) =>
    `/Users?${new URLSearchParams({ filter: `userName eq "${userName}"`, startIndex: '1', count: '100' })}`

  it('Okta looks up, creates, updates by PUT, deactivates by PATCH and reactivates a user', async () => {
    expect(await scim.get(lookUp(profile.userName))).toMatchObject({ totalResults: 0, Resources: [] })
    const created = await scim.send('POST', '/Users', profile)
    expect(created.status).toBe(201)
    const { id } = created.body
    expect(await scim.get(lookUp(profile.userName))).toMatchObject({ totalResults: 1, Resources: [{ id }] })
    expect(takeEventTypes(scim.events)).toEqual(['user_created'])

    const changed = { ...profile, id, name: { givenName: 'Isaac', familyName: 'Brook' } }
    expect((await scim.send('PUT', `/Users/${id}`, changed)).body).toMatchObject({ name: changed.name })
    expect(scim.events.map(({ data }) => data)).toMatchObject([{ id, family_name: 'Brook', active: true }])
    takeEventTypes(scim.events)

    const { status, body } = await scim.patch(`/Users/${id}`, { op: 'replace', value: { active: false } })
    expect([status, body.active]).toEqual([200, false])
    expect(scim.events.map(({ data }) => data)).toMatchObject([{ id, active: false }])
    takeEventTypes(scim.events)

    await scim.patch(`/Users/${id}`, { op: 'replace', value: { active: true } })
    expect(scim.events.map(({ data }) => data)).toMatchObject([{ id, active: true }])
  })

  it('Okta creates an empty group, adds and removes members, renames it, replaces all members and deletes it', async () => {
    const one = await scim.createUser({ userName: 'one@acme.test' })
    const two = await scim.createUser({ userName: 'two@acme.test' })
    const { status, body } = await scim.send('POST', '/Groups', {
      schemas: [groupSchema],
      displayName: 'Test SCIMv2',
      members: [],
    })
    expect(status).toBe(201)
    const path = `/Groups/${body.id}`
    const members = async () => (await scim.get(path)).members?.map(({ value }) => value)
    takeEventTypes(scim.events)

    const join = (value: string, display: string) => ({
      op: 'add',
      path: 'members',
      value: [{ value, display }],
    })
    await scim.patch(path, join(one, 'one@acme.test'), join(two, 'two@acme.test'))
    expect(await members()).toEqual([one, two])
    expect(takeEventTypes(scim.events)).toEqual(['user_updated', 'user_updated'])

    await scim.patch(path, { op: 'remove', path: `members[value eq "${one}"]` })
    expect(await members()).toEqual([two])

    await scim.patch(path, { op: 'replace', value: { id: body.id, displayName: 'Renamed' } })
    expect(await scim.get(path)).toMatchObject({ id: body.id, displayName: 'Renamed' })

    takeEventTypes(scim.events)
    await scim.patch(path, { op: 'replace', path: 'members', value: [{ value: one, display: 'one' }] })
    expect(await members()).toEqual([one])
    expect(takeEventTypes(scim.events)).toEqual(['user_updated', 'user_updated'])

    expect((await scim.send('DELETE', path)).status).toBe(204)
    expect(takeEventTypes(scim.events)).toEqual(['group_deleted', 'user_updated'])
  })

  it('the server passes Okta’s SCIM 2.0 specification test', async () => {
    const list = await scim.get('/Users?count=1&startIndex=1')
    expect(list.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:ListResponse'])
    expect(list).toMatchObject({ totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] })

    expectError(await scim.send('GET', '/Users/00919288221112222'), 404)
    expect(await scim.get(lookUp('nobody@acme.test'))).toMatchObject({ totalResults: 0, Resources: [] })

    const created = await scim.send('POST', '/Users', profile)
    expect(created.status).toBe(201)
    expect(created.body).toMatchObject({
      active: true,
      userName: profile.userName,
      name: profile.name,
      emails: profile.emails,
    })
    expect(await scim.get(`/Users/${created.body.id}`)).toEqual(created.body)
    expectError(await scim.send('POST', '/Users', profile), 409, 'uniqueness')
    expect(await scim.get('/Groups')).toMatchObject({ totalResults: 0, Resources: [] })
  })
})

describe('Entra ID', () => {
  const matching = (attribute: string, value: string) =>
    `?${new URLSearchParams({ filter: `${attribute} eq "${value}"` })}`
  const created = {
    schemas: [userSchema, enterprise],
    externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
    userName: 'Test_User_ab6490ee@acme.test',
    active: true,
    emails: [{ primary: true, type: 'work', value: 'Test_User_fd0ea19b@acme.test' }],
    meta: { resourceType: 'User' },
    name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
    roles: [],
  }

  it('Entra ID looks up, creates, and finds a user by userName, externalId and work email', async () => {
    expect(await scim.get(`/Users${matching('userName', created.userName)}`)).toMatchObject({
      totalResults: 0,
    })
    const { status, body } = await scim.send('POST', '/Users', created)
    expect(status).toBe(201)
    for (const [attribute, value] of [
      ['userName', created.userName.toLowerCase()],
      ['externalId', created.externalId],
      ['emails[type eq "work"].value', 'Test_User_fd0ea19b@acme.test'],
    ] as const) {
      const { Resources } = await scim.get(`/Users${matching(attribute, value)}`)
      expect(Resources.map(({ id }) => id)).toEqual([body.id])
    }
  })

  it('Entra ID updates several attributes by paths with filters and extensions', async () => {
    const id = await scim.createUser(created)
    const { status, body } = await scim.patch(
      `/Users/${id}`,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'updated@acme.test' },
      { op: 'Replace', path: 'name.familyName', value: 'updatedFamilyName' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+44 2' },
      { op: 'Add', path: 'addresses[type eq "work"].locality', value: 'London' },
      { op: 'Add', path: `${enterprise}:department`, value: 'Engines' },
      { op: 'Add', path: `${enterprise}:manager`, value: 'diruser_1' },
      { op: 'Add', path: 'roles[primary eq "True"].value', value: 'Developer' },
    )
    expect(status).toBe(200)
    expect(body).toMatchObject({
      emails: [{ primary: true, type: 'work', value: 'updated@acme.test' }],
      name: { givenName: 'givenName', familyName: 'updatedFamilyName' },
      phoneNumbers: [{ type: 'mobile', value: '+44 2' }],
      addresses: [{ type: 'work', locality: 'London' }],
      [enterprise]: { department: 'Engines', manager: { value: 'diruser_1' } },
      roles: [{ primary: true, value: 'Developer' }],
    })
    expect(scim.events.at(-1)?.data).toMatchObject({
      email: 'updated@acme.test',
      family_name: 'updatedFamilyName',
      phone_number: '+44 2',
      department: 'Engines',
    })
  })

  it('Entra ID replaces several attributes by an object whose names are paths', async () => {
    const id = await scim.createUser(created)
    const { body } = await scim.patch(`/Users/${id}`, {
      op: 'Replace',
      value: {
        displayName: 'Ann Example',
        'name.givenName': 'Ann',
        'emails[type eq "work"].value': 'ann@acme.test',
        'emails[type eq "other"].value': 'other@acme.test',
        [`${enterprise}:employeeNumber`]: '7',
        [`${enterprise}:manager`]: { value: 'diruser_2' },
      },
    })
    expect(body).toMatchObject({
      displayName: 'Ann Example',
      name: { givenName: 'Ann', familyName: 'familyName' },
      emails: [
        { type: 'work', value: 'ann@acme.test' },
        { type: 'other', value: 'other@acme.test' },
      ],
      [enterprise]: { employeeNumber: '7', manager: { value: 'diruser_2' } },
    })
  })

  it.each([
    ['a string', { op: 'Replace', path: 'active', value: 'False' }],
    ['a boolean', { op: 'Replace', path: 'active', value: false }],
    ['an object', { op: 'replace', value: { active: 'False' } }],
  ])('Entra ID disables a user by %s', async (_case, operation) => {
    const id = await scim.createUser(created)
    takeEventTypes(scim.events)
    expect((await scim.patch(`/Users/${id}`, operation)).body.active).toBe(false)
    expect(scim.events.map(({ data }) => data)).toMatchObject([{ id, active: false }])
  })

  it('Entra ID creates, finds and renames a group, adds and removes a member, and deletes the group', async () => {
    const user = await scim.createUser(created)
    const { status, body } = await scim.send('POST', '/Groups', {
      schemas: [groupSchema, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
      displayName: 'displayName',
      meta: { resourceType: 'Group' },
    })
    expect(status).toBe(201)
    const path = `/Groups/${body.id}`
    const found = await scim.get(
      `/Groups${matching('displayName', 'displayName')}&excludedAttributes=members`,
    )
    expect(found.Resources.map(({ id }) => id)).toEqual([body.id])

    const rename = await scim.patch(path, { op: 'Replace', path: 'displayName', value: 'renamed' })
    expect(rename.status).toBe(204)
    expect(await scim.get(`${path}?excludedAttributes=members`)).toMatchObject({ displayName: 'renamed' })

    const member = { op: 'Add', path: 'members', value: [{ $ref: null, value: user }] }
    expect((await scim.patch(path, member)).status).toBe(204)
    expect(scim.environment.user(user).groupIds).toEqual([body.id])
    takeEventTypes(scim.events)
    const leave = { op: 'Remove', path: 'members', value: [{ $ref: null, value: user }] }
    expect((await scim.patch(path, leave)).status).toBe(204)
    expect(scim.environment.user(user).groupIds).toEqual([])
    expect(takeEventTypes(scim.events)).toEqual(['user_updated'])
    // Entra ID may repeat a request.
    expect((await scim.patch(path, leave)).status).toBe(204)
    expect(takeEventTypes(scim.events)).toEqual([])

    expect((await scim.send('DELETE', path)).status).toBe(204)
  })
})
