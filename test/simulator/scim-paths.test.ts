import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  enterprise,
  expectError,
  openScimDirectory,
  type ScimDirectory,
  userSchema,
} from './scim-directory.ts'

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

const custom = 'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User'

describe('a path that begins with a schema', () => {
  it.each([
    ['a dot after our extension', `${enterprise}.department`, 'V', { [enterprise]: { department: 'V' } }],
    ['a dot twice', `${enterprise}.manager.value`, 'V', { [enterprise]: { manager: { value: 'V' } } }],
    ['a dot after the core schema', `${userSchema}.title`, 'V', { title: 'V' }],
    [
      'a dot after the core schema, and a filter',
      `${userSchema}.roles[type eq "a"].value`,
      'V',
      { roles: [{ type: 'a', value: 'V' }] },
    ],
    ['a dot after an unknown extension', `${custom}.tag`, 'V', { [custom]: { tag: 'V' } }],
    ['a colon after an unknown extension', `${custom}:tag`, 'V', { [custom]: { tag: 'V' } }],
    ['an unknown extension as a whole', custom, { tag: 'V' }, { [custom]: { tag: 'V' } }],
    [
      'an unknown extension that ends in a version',
      'urn:acme:badge:1.0',
      { tag: 'V' },
      { 'urn:acme:badge:1.0': { tag: 'V' } },
    ],
    ['the core schema as a whole', userSchema, { title: 'V' }, { title: 'V' }],
  ])('a path is accepted: %s', async (_case, path, value, wanted) => {
    const { body: before } = await scim.send('POST', '/Users', { userName: 'ada' })
    const byPath = await scim.patch(`/Users/${before.id}`, { op: 'add', path, value })
    expect(byPath.status).toBe(200)
    const { meta, ...fields } = byPath.body
    const extensions = Object.keys(wanted).filter((name) => name.startsWith('urn:'))
    const { meta: _, ...fieldsBefore } = before
    expect(fields).toEqual({ ...fieldsBefore, ...wanted, schemas: [userSchema, ...extensions] })

    const { body: other } = await scim.send('POST', '/Users', { userName: 'grace' })
    const { body } = await scim.patch(`/Users/${other.id}`, { op: 'add', value: { [path]: value } })
    expect(body).toMatchObject(wanted)
    expect(body.schemas).toEqual([userSchema, ...extensions])
  })

  it.each([
    [
      'a dot before the name of the schema',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0.User:department',
      'V',
    ],
    [
      'the same as a whole',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0.User',
      { department: 'V' },
    ],
    ['a dot after a version', 'urn:acme:badge:1.0.number', 'V'],
    ['a dot after a version, with an object', 'urn:acme:badge:1.0.number', { tag: 'V' }],
  ])('a path is refused: %s', async (_case, path, value) => {
    const id = await scim.createUser()
    const before = await scim.get(`/Users/${id}`)
    expectError(await scim.patch(`/Users/${id}`, { op: 'add', path, value }), 400, 'invalidPath')
    expectError(await scim.patch(`/Users/${id}`, { op: 'add', value: { [path]: value } }), 400, 'invalidPath')
    expect(await scim.get(`/Users/${id}`)).toEqual(before)
  })

  it('a path with a schema is also accepted in filters and in lists of attributes', async () => {
    await scim.createUser({ [enterprise]: { department: 'Navy', division: 'Sea' } })
    const query = new URLSearchParams({
      filter: `${enterprise}.department eq "navy"`,
      attributes: `${enterprise}.department`,
    })
    const { Resources } = await scim.get(`/Users?${query}`)
    expect(Resources).toMatchObject([{ [enterprise]: { department: 'Navy' } }])
    expect(Resources[0]?.[enterprise]).not.toHaveProperty('division')
  })
})

it('the server refuses the full name of an extension attribute as a key of a resource', async () => {
  const named = { userName: 'ada', [`${custom}:tag`]: 'V' }
  expectError(await scim.send('POST', '/Users', named), 400, 'invalidValue')
})
