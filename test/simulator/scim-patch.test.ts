import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ada,
  enterprise,
  expectError,
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

describe('PATCH of a user', () => {
  const patched = async (before: object, ...operations: object[]) => {
    const id = await scim.createUser(before)
    const { status, body } = await scim.patch(`/Users/${id}`, ...operations)
    expect(status).toBe(200)
    expect(await scim.get(`/Users/${id}`)).toEqual(body)
    return body
  }

  it('a PATCH adds, replaces and removes in the order of its operations', async () => {
    const body = await patched(
      { title: 'Countess', nickName: 'A' },
      { op: 'add', path: 'userType', value: 'Employee' },
      { op: 'replace', path: 'title', value: 'Engineer' },
      { op: 'remove', path: 'nickName' },
      { op: 'replace', path: 'name.familyName', value: 'King' },
    )
    expect(body).toMatchObject({
      userType: 'Employee',
      title: 'Engineer',
      name: { givenName: 'Ada', familyName: 'King' },
    })
    expect(body).not.toHaveProperty('nickName')
    expect(takeEventTypes(scim.events)).toEqual(['user_created', 'user_updated'])
  })

  it('a PATCH accepts an object instead of a path', async () => {
    const body = await patched(
      {},
      {
        op: 'replace',
        value: { id: 'ignored', displayName: 'Ada L.', name: { givenName: 'A' }, 'name.familyName': 'L' },
      },
    )
    expect(body).toMatchObject({ displayName: 'Ada L.', name: { givenName: 'A', familyName: 'L' } })
  })

  it('a PATCH adds to a list only values that it does not have', async () => {
    const [work] = ada.emails
    const home = { value: 'home@acme.test', type: 'home' }
    const body = await patched({}, { op: 'add', path: 'emails', value: [work, home] })
    expect(body.emails).toEqual([work, home])
  })

  it('a PATCH adds and removes thousands of values one by one', async () => {
    const emails = Array.from({ length: 4000 }, (_, index) => ({ value: `ada+${index}@acme.test` }))
    const one = (op: string) =>
      [...emails, ...emails].map((value) => ({ op, path: 'emails', value: [value] }))
    const body = await patched({}, ...one('add'))
    expect(body.emails).toEqual([...ada.emails, ...emails])
    const after = await scim.patch(`/Users/${body.id}`, ...one('remove'))
    expect(after.body.emails).toEqual(ada.emails)
  })

  it('a PATCH is refused if it would visit millions of values', async () => {
    const numbers = Array.from({ length: 1001 }, (_, index) => ({ value: `+44 ${index}` }))
    const id = await scim.createUser({ phoneNumbers: numbers })
    takeEventTypes(scim.events)
    const removals = numbers.map(({ value }) => ({
      op: 'remove',
      path: `phoneNumbers[value eq "no ${value}"]`,
    }))
    expectError(await scim.patch(`/Users/${id}`, ...removals), 413)
    expect(takeEventTypes(scim.events)).toEqual([])
  })

  it('a PATCH keeps one primary value: the last one that was set', async () => {
    const home = { value: 'home@acme.test', type: 'home', primary: true }
    const body = await patched({}, { op: 'add', value: { emails: [home] } })
    expect(body.emails).toEqual([{ ...ada.emails[0], primary: false }, home])
    expect(scim.environment.user(body.id).attributes.email).toBe('home@acme.test')
  })

  it('a PATCH edits and removes the values that a filter finds', async () => {
    const before = {
      emails: [...ada.emails, { value: 'home@acme.test', type: 'home' }],
      photos: [{ value: 'https://acme.test/a.png', type: 'thumbnail' }],
    }
    const body = await patched(
      before,
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'a.l@acme.test' },
      { op: 'remove', path: 'emails[type eq "home"]' },
      { op: 'remove', path: 'photos[value eq "https://acme.test/a.png"]' },
    )
    expect(body.emails).toEqual([{ ...ada.emails[0], value: 'a.l@acme.test' }])
    expect(body).not.toHaveProperty('photos')
  })

  it('a PATCH edits an extension as a whole or in part', async () => {
    const body = await patched(
      { [enterprise]: { division: 'Sea' } },
      { op: 'add', path: `${enterprise}:department`, value: 'Navy' },
      { op: 'add', path: enterprise, value: { costCenter: '1' } },
      {
        op: 'replace',
        value: { [enterprise.toLowerCase()]: { employeeNumber: '7' }, 'urn:acme:badge:1.0': { badge: 12 } },
      },
      { op: 'remove', path: `${enterprise}:division` },
    )
    expect(body[enterprise]).toEqual({ department: 'Navy', costCenter: '1', employeeNumber: '7' })
    expect(body['urn:acme:badge:1.0']).toEqual({ badge: 12 })
    expect(body.schemas).toEqual([userSchema, 'urn:acme:badge:1.0', enterprise])
    const after = await scim.patch(`/Users/${body.id}`, { op: 'remove', path: enterprise })
    expect(after.body).not.toHaveProperty([enterprise])
  })

  it.each<[string, object, number, string]>([
    ['an unknown op', { op: 'move', path: 'title', value: 'x' }, 400, 'invalidSyntax'],
    ['a removal of everything', { op: 'remove' }, 400, 'noTarget'],
    ['no value', { op: 'add', path: 'title' }, 400, 'invalidValue'],
    ['an invalid path', { op: 'add', path: 'emails[', value: 'x' }, 400, 'invalidPath'],
    [
      'a path into what all objects have',
      { op: 'add', path: '__proto__.polluted', value: 'x' },
      400,
      'invalidPath',
    ],
    ['an invalid filter', { op: 'remove', path: 'emails[type xx 1]' }, 400, 'invalidFilter'],
    ['nothing to replace', { op: 'replace', path: 'emails[type eq "home"]', value: {} }, 400, 'noTarget'],
    ['nothing to add to', { op: 'add', path: 'emails[type ne "work"].value', value: 'x' }, 400, 'noTarget'],
    ['the id', { op: 'replace', path: 'id', value: 'x' }, 400, 'mutability'],
    ['the groups', { op: 'add', path: 'groups', value: [] }, 400, 'mutability'],
    ['no userName', { op: 'remove', path: 'userName' }, 400, 'invalidValue'],
    [
      'two primary values',
      { op: 'replace', path: 'emails', value: ['a', 'b'].map((value) => ({ value, primary: true })) },
      400,
      'invalidValue',
    ],
    ['a value of another type', { op: 'replace', path: 'title', value: {} }, 400, 'invalidValue'],
  ])('a PATCH is refused and changes nothing: %s', async (_case, operation, status, scimType) => {
    const id = await scim.createUser()
    takeEventTypes(scim.events)
    const answer = await scim.patch(`/Users/${id}`, { op: 'add', path: 'nickName', value: 'A' }, operation)
    expectError(answer, status, scimType)
    expect(takeEventTypes(scim.events)).toEqual([])
    expect({}).not.toHaveProperty('polluted')
  })

  it.each([
    ['no schema', { Operations: [{ op: 'remove', path: 'title' }] }],
    ['no operations', { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [] }],
  ])('a PATCH is refused: %s', async (_case, body) => {
    const id = await scim.createUser()
    expectError(await scim.send('PATCH', `/Users/${id}`, body), 400, 'invalidSyntax')
  })

  it('a PATCH does not change the records of the environment before it is complete', async () => {
    const id = await scim.createUser({ 'urn:acme:badge:1.0': { badge: 12 } })
    const before = scim.environment.user(id)
    const copy = structuredClone(before)
    await scim.patch(`/Users/${id}`, {
      op: 'replace',
      path: 'urn:acme:badge:1.0:badge',
      value: 13,
    })
    expect(before).toEqual(copy)
    expect(scim.environment.user(id).extra).toMatchObject({ 'urn:acme:badge:1.0': { badge: 13 } })
  })
})
