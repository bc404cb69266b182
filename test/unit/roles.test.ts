import { mapRoles } from '@scalekit-scim/core'
import { describe, expect, test } from 'vitest'

const groups = { Engineering: 'editor', 'IT Admins': 'admin', dirgroup_7: 'owner' } as const
const roles = { member: 'viewer', superadmin: 'admin' } as const
const precedence = ['owner', 'admin', 'editor', 'viewer'] as const
const inGroups = (...names: string[]) => ({
  groups: names.map((name, at) => ({ id: `dirgroup_${at}`, name })),
})

describe('an event without groups or roles', () => {
  test.each([
    ['absent', {}],
    ['null', { groups: null, roles: null }],
  ])('mapRoles returns undefined for groups and roles that are %s', (_name, user) => {
    expect(mapRoles(user, { groups, roles, default: 'viewer' })).toBeUndefined()
  })

  test('mapRoles returns undefined for roles without groups if only groups are mapped', () => {
    expect(mapRoles({ roles: [{ role_name: 'member' }] }, { groups })).toBeUndefined()
  })

  test('mapRoles returns undefined for groups without roles if only roles are mapped', () => {
    expect(mapRoles(inGroups('Engineering'), { roles, default: 'viewer' })).toBeUndefined()
  })
})

describe('an event with groups or roles', () => {
  test('an empty list of groups results in an empty list', () => {
    expect(mapRoles({ groups: [] }, { groups })).toEqual([])
  })

  test('unmapped groups result in the default', () => {
    expect(mapRoles(inGroups('Sales'), { groups, default: 'viewer' })).toEqual(['viewer'])
  })

  test('a found role replaces the default', () => {
    expect(mapRoles(inGroups('Engineering'), { groups, default: 'viewer' })).toEqual(['editor'])
  })

  test('a group is found by its exact name', () => {
    expect(mapRoles(inGroups('engineering', 'Engineering '), { groups })).toEqual([])
  })

  test('a group is found by its id before its name', () => {
    const user = { groups: [{ id: 'dirgroup_7', name: 'Engineering' }] }
    expect(mapRoles(user, { groups })).toEqual(['owner'])
  })

  test('a group without a name is found by its id', () => {
    expect(mapRoles({ groups: [{ id: 'dirgroup_7', name: null }] }, { groups })).toEqual(['owner'])
  })

  test('a Scalekit role is found by its name', () => {
    expect(mapRoles({ roles: [{ role_name: 'superadmin' }] }, { roles })).toEqual(['admin'])
  })

  test('roles from groups and roles are combined', () => {
    const user = { ...inGroups('Engineering'), roles: [{ role_name: 'member' }] }
    expect(mapRoles(user, { groups, roles, precedence })).toEqual(['editor', 'viewer'])
  })

  test('the highest role comes first, without duplicates', () => {
    const user = {
      ...inGroups('Engineering', 'IT Admins'),
      roles: [{ role_name: 'member' }, { role_name: 'superadmin' }],
    }
    expect(mapRoles(user, { groups, roles, precedence })).toEqual(['admin', 'editor', 'viewer'])
  })

  test('roles outside the precedence come last, in the order of the directory', () => {
    const user = { ...inGroups('Engineering', 'IT Admins'), roles: [{ role_name: 'member' }] }
    expect(mapRoles(user, { groups, roles, precedence: ['viewer'] })).toEqual(['viewer', 'editor', 'admin'])
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'a group with the name %s is not mapped',
    (name) => {
      expect(mapRoles(inGroups(name), { groups })).toEqual([])
    },
  )

  test('the user is not changed', () => {
    const user = { ...inGroups('IT Admins', 'Engineering') }
    const before = structuredClone(user)
    mapRoles(user, { groups, precedence })
    expect(user).toEqual(before)
  })
})
