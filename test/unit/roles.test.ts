import { mapRoles } from '@scalekit-scim/core'
import { describe, expect, test } from 'vitest'

const groups = { Engineering: 'editor', 'IT Admins': 'admin', dirgroup_7: 'owner' } as const
const roles = { member: 'viewer', superadmin: 'admin' } as const
const precedence = ['owner', 'admin', 'editor', 'viewer'] as const
const inGroups = (...names: string[]) => ({
  groups: names.map((name, at) => ({ id: `dirgroup_${at}`, name })),
})

describe('what an event does not say, is not known', () => {
  test.each([
    ['absent', {}],
    ['null', { groups: null, roles: null }],
  ])('groups and roles that are %s give undefined: leave the roles as they are', (_name, user) => {
    expect(mapRoles(user, { groups, roles, default: 'viewer' })).toBeUndefined()
  })

  test('roles that are known say nothing where only groups are mapped', () => {
    expect(mapRoles({ roles: [{ role_name: 'member' }] }, { groups })).toBeUndefined()
  })

  test('groups that are known say nothing where only roles are mapped', () => {
    expect(mapRoles(inGroups('Engineering'), { roles, default: 'viewer' })).toBeUndefined()
  })
})

describe('what an event says', () => {
  test('no groups at all is an answer: none', () => {
    expect(mapRoles({ groups: [] }, { groups })).toEqual([])
  })

  test('groups that map to nothing give the default', () => {
    expect(mapRoles(inGroups('Sales'), { groups, default: 'viewer' })).toEqual(['viewer'])
  })

  test('the default is not given beside a role that was found', () => {
    expect(mapRoles(inGroups('Engineering'), { groups, default: 'viewer' })).toEqual(['editor'])
  })

  test('a group is found by its name, exactly as the directory writes it', () => {
    expect(mapRoles(inGroups('engineering', 'Engineering '), { groups })).toEqual([])
  })

  test('a group is found by its id before its name', () => {
    const user = { groups: [{ id: 'dirgroup_7', name: 'Engineering' }] }
    expect(mapRoles(user, { groups })).toEqual(['owner'])
  })

  test('a group without a name is found by its id', () => {
    expect(mapRoles({ groups: [{ id: 'dirgroup_7', name: null }] }, { groups })).toEqual(['owner'])
  })

  test('a role of Scalekit’s is found by its name', () => {
    expect(mapRoles({ roles: [{ role_name: 'superadmin' }] }, { roles })).toEqual(['admin'])
  })

  test('groups and roles are put together', () => {
    const user = { ...inGroups('Engineering'), roles: [{ role_name: 'member' }] }
    expect(mapRoles(user, { groups, roles, precedence })).toEqual(['editor', 'viewer'])
  })

  test('the highest role comes first, and none twice', () => {
    const user = {
      ...inGroups('Engineering', 'IT Admins'),
      roles: [{ role_name: 'member' }, { role_name: 'superadmin' }],
    }
    expect(mapRoles(user, { groups, roles, precedence })).toEqual(['admin', 'editor', 'viewer'])
  })

  test('roles that the precedence does not name come last, in the order of the directory', () => {
    const user = { ...inGroups('Engineering', 'IT Admins'), roles: [{ role_name: 'member' }] }
    expect(mapRoles(user, { groups, roles, precedence: ['viewer'] })).toEqual(['viewer', 'editor', 'admin'])
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'a group that is named %s maps to nothing by itself',
    (name) => {
      expect(mapRoles(inGroups(name), { groups })).toEqual([])
    },
  )

  test('what was mapped is not changed', () => {
    const user = { ...inGroups('IT Admins', 'Engineering') }
    const before = structuredClone(user)
    mapRoles(user, { groups, precedence })
    expect(user).toEqual(before)
  })
})
