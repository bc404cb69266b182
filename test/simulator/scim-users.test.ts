import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ada,
  enterprise,
  expectError,
  groupSchema,
  openScimDirectory,
  type ScimDirectory,
  takeEventTypes,
  userSchema,
} from './scim-directory.ts'

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

describe('a user', () => {
  it('a user is created with 201, its address, its version and an id', async () => {
    const { status, headers, body } = await scim.send('POST', '/Users', ada)
    expect(status).toBe(201)
    expect(headers.get('content-type')).toMatch(/^application\/scim\+json/)
    expect(headers.get('location')).toBe(`${scim.baseUrl}/Users/${body.id}`)
    expect(headers.get('etag')).toBe(body.meta.version)
    expect(body).toEqual({
      ...ada,
      id: expect.stringMatching(/^diruser_/),
      meta: {
        resourceType: 'User',
        created: expect.stringMatching(/Z$/),
        lastModified: body.meta.created,
        location: `${scim.baseUrl}/Users/${body.id}`,
        version: expect.stringMatching(/^W\/"/),
      },
    })
    expect(takeEventTypes(scim.events)).toEqual(['user_created'])
    expect(await scim.get(`/Users/${body.id}`)).toEqual(body)
  })

  it('a user is returned as it was sent, with attributes and extensions that are unknown', async () => {
    const sent = {
      ...ada,
      schemas: [userSchema, 'urn:acme:badge:1.0', enterprise],
      name: { ...ada.name, formatted: 'Ada, Countess of Lovelace', middleName: 'King' },
      emails: [
        { value: 'home@acme.test', type: 'home' },
        { value: 'ada@acme.test', type: 'work', primary: true, display: 'Work' },
      ],
      phoneNumbers: [{ value: '+44 1', type: 'mobile' }],
      photos: [{ value: 'https://acme.test/ada.png', type: 'photo' }],
      addresses: [{ type: 'work', locality: 'London', country: 'GB' }],
      preferredLanguage: 'en-GB',
      shoeSize: 38,
      [enterprise]: {
        employeeNumber: '7',
        department: 'Engines',
        manager: { value: 'diruser_1', displayName: 'Charles' },
      },
      'urn:acme:badge:1.0': { badge: { number: 12 } },
    }
    const id = await scim.createUser(sent)
    expect(await scim.get(`/Users/${id}`)).toMatchObject(sent)
    expect(scim.environment.user(id).attributes).toEqual({
      userName: 'ada@acme.test',
      givenName: 'Ada',
      familyName: 'Lovelace',
      email: 'ada@acme.test',
      phoneNumber: '+44 1',
      picture: 'https://acme.test/ada.png',
      language: 'en-GB',
      employeeNumber: '7',
      department: 'Engines',
    })
  })

  it('the server does not store, return or publish a password', async () => {
    const id = await scim.createUser({ password: 's3cret!' })
    expect(JSON.stringify([await scim.get(`/Users/${id}`), scim.events])).not.toContain('s3cret!')
  })

  it.each(['ada@acme.test', 'ADA@acme.test'])('a user is not created twice: %s', async (userName) => {
    await scim.createUser()
    expectError(await scim.send('POST', '/Users', { ...ada, userName }), 409, 'uniqueness')
    expect(scim.environment.contents(scim.directory.id).users).toHaveLength(1)
  })

  it.each([
    ['a name that is not an object', { name: 'Ada' }],
    ['two primary values', { emails: ['a', 'b'].map((value) => ({ value, primary: true })) }],
  ])('a user is not created with %s', async (_case, fields) => {
    expectError(await scim.send('POST', '/Users', { ...ada, ...fields }), 400, 'invalidValue')
    expect(scim.environment.contents(scim.directory.id).users).toHaveLength(0)
  })

  it('a user is replaced by PUT, which clears absent attributes except active', async () => {
    const id = await scim.createUser({ title: 'Countess', active: false, nickName: 'A', shoeSize: 38 })
    const { status, body } = await scim.send('PUT', `/Users/${id}`, {
      schemas: [userSchema],
      userName: 'ada@acme.test',
      title: 'Engineer',
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ id, title: 'Engineer', active: false })
    for (const gone of ['nickName', 'name', 'emails', 'shoeSize']) expect(body).not.toHaveProperty(gone)
    expect(takeEventTypes(scim.events)).toEqual(['user_created', 'user_updated'])
  })

  it("a user is not replaced if the userName is another user's", async () => {
    await scim.createUser()
    const id = await scim.createUser({ userName: 'grace@acme.test' })
    expectError(await scim.send('PUT', `/Users/${id}`, ada), 409, 'uniqueness')
    expect(scim.environment.user(id).attributes.userName).toBe('grace@acme.test')
  })

  it('a user is deleted with 204, and then not found', async () => {
    const id = await scim.createUser()
    const { status, body } = await scim.send('DELETE', `/Users/${id}`)
    expect([status, body]).toEqual([204, undefined])
    expectError(await scim.send('GET', `/Users/${id}`), 404)
    expectError(await scim.send('DELETE', `/Users/${id}`), 404)
    expect(takeEventTypes(scim.events)).toEqual(['user_created', 'user_deleted'])
  })

  it('the server publishes no event if a request changes nothing', async () => {
    const id = await scim.createUser()
    await scim.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: true })
    await scim.send('PUT', `/Users/${id}`, ada)
    expect(takeEventTypes(scim.events)).toEqual(['user_created'])
  })

  it.each([
    ['no JSON', '{"userName":', 'invalidSyntax'],
    ['a list', [], 'invalidSyntax'],
    ['another schema', { ...ada, schemas: [groupSchema] }, 'invalidSyntax'],
    ['no userName', { schemas: [userSchema] }, 'invalidValue'],
    ['an empty userName', { ...ada, userName: ' ' }, 'invalidValue'],
    ['a number for a title', { ...ada, title: 7 }, 'invalidValue'],
    ['an invalid active', { ...ada, active: 'maybe' }, 'invalidValue'],
    ['an extension that is not an object', { ...ada, [enterprise]: 'Navy' }, 'invalidValue'],
    ['emails that are not objects', { ...ada, emails: ['ada@acme.test'] }, 'invalidValue'],
  ])('a request is refused: %s', async (_case, body, scimType) => {
    expectError(await scim.send('POST', '/Users', body), 400, scimType)
    expect(takeEventTypes(scim.events)).toEqual([])
  })

  it('the server accepts attribute names in any case', async () => {
    const id = await scim.createUser({ NICKNAME: 'A', Name: { GIVENNAME: 'Ada' }, name: undefined })
    expect(await scim.get(`/Users/${id}`)).toMatchObject({ nickName: 'A', name: { givenName: 'Ada' } })
  })
})

describe('versions', () => {
  it('the server answers 304 if the client has the version, and 412 if it would overwrite another', async () => {
    const id = await scim.createUser()
    const { meta } = await scim.get(`/Users/${id}`)
    // The test sets `cache-control`, because fetch sends no-cache by default.
    const known = { headers: { 'if-none-match': meta.version, 'cache-control': 'max-age=0' } }
    expect((await scim.send('GET', `/Users/${id}`, undefined, known)).status).toBe(304)

    const write = (version: string) =>
      scim.send('PUT', `/Users/${id}`, { ...ada, title: 'Countess' }, { headers: { 'if-match': version } })
    expect((await write(meta.version)).status).toBe(200)
    expectError(await write(meta.version), 412)
    expect((await write('*')).status).toBe(200)
  })

  it('a new member changes the version of a group', async () => {
    const [user, group] = [await scim.createUser(), await scim.createGroup('All')]
    const before = await scim.get(`/Groups/${group}`)
    await scim.patch(`/Groups/${group}`, { op: 'add', path: 'members', value: [{ value: user }] })
    expect((await scim.get(`/Groups/${group}`)).meta.version).not.toBe(before.meta.version)
  })
})
