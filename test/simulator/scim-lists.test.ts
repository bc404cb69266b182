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

describe('a list', () => {
  const found = async (filter: string, type = 'Users') => {
    const list = await scim.get(`/${type}?${new URLSearchParams({ filter })}`)
    expect(list.totalResults).toBe(list.Resources.length)
    return list.Resources.map((one) => one.userName ?? one.displayName)
  }

  it.each([
    ['userName eq "ADA@acme.test"', ['ada@acme.test']],
    ['username Eq "ada@acme.test"', ['ada@acme.test']],
    [`${userSchema}:userName eq "ada@acme.test"`, ['ada@acme.test']],
    ['userName eq "nobody@acme.test"', []],
    ['externalId eq "ext-1"', ['ada@acme.test']],
    ['externalId eq "EXT-1"', []],
    ['emails[type eq "work"].value eq "GRACE@acme.test"', ['grace@acme.test']],
    ['emails[type eq "work" and value co "grace"]', ['grace@acme.test']],
    ['emails co "@acme.test"', ['ada@acme.test', 'grace@acme.test']],
    ['emails.value sw "ada"', ['ada@acme.test']],
    ['name.familyName co "LOVE"', ['ada@acme.test']],
    ['active eq false', ['grace@acme.test']],
    ['active eq "True"', ['ada@acme.test']],
    ['title pr', ['grace@acme.test']],
    ['not (title pr) and userName ew ".test"', ['ada@acme.test']],
    [`${enterprise}:department eq "navy"`, ['grace@acme.test']],
    ['meta.created gt "2011-05-13T04:42:34Z" and title eq "admiral"', ['grace@acme.test']],
    ['meta.lastModified lt "2011-05-13T04:42:34Z"', []],
  ])('a list finds by %s', async (filter, names) => {
    await scim.createUser()
    await scim.createUser({
      userName: 'grace@acme.test',
      externalId: 'ext-2',
      name: { familyName: 'Hopper' },
      emails: [{ value: 'grace@acme.test', type: 'work', primary: true }],
      active: false,
      title: 'Admiral',
      [enterprise]: { department: 'Navy' },
    })
    expect(await found(filter)).toEqual(names)
  })

  it('a list finds users by id, and groups by name', async () => {
    const id = await scim.createUser()
    await scim.createGroup('Engineers', id)
    await scim.createGroup('Sales')
    expect(await found(`id eq "${id}"`)).toEqual(['ada@acme.test'])
    expect(await found('displayName eq "engineers"', 'Groups')).toEqual(['Engineers'])
    expect(await found(`members.value eq "${id}"`, 'Groups')).toEqual(['Engineers'])
    expect(await found(`groups.display eq "Engineers"`)).toEqual(['ada@acme.test'])
  })

  it.each(['userName', 'userName eq', 'userName xx "a"', '(userName pr', '"', `"${'\n'.repeat(200)}`])(
    'a list answers 400 to an invalid filter: %.20s',
    async (filter) => {
      expectError(await scim.send('GET', `/Users?${new URLSearchParams({ filter })}`), 400, 'invalidFilter')
    },
  )

  it('a list has pages that start at 1, and the total', async () => {
    for (let number = 1; number <= 5; number++) await scim.createUser({ userName: `user${number}` })
    const page = async (query: string) => {
      const { totalResults, startIndex, itemsPerPage, Resources } = await scim.get(`/Users?${query}`)
      expect(totalResults).toBe(5)
      expect(itemsPerPage).toBe(Resources.length)
      return [startIndex, Resources.map(({ userName }) => userName)]
    }
    expect(await page('startIndex=2&count=2')).toEqual([2, ['user2', 'user3']])
    expect(await page('startIndex=5&count=9')).toEqual([5, ['user5']])
    expect(await page('startIndex=6')).toEqual([6, []])
    expect(await page('startIndex=0&count=1')).toEqual([1, ['user1']])
    expect(await page('count=0')).toEqual([1, []])
    expect(await page('count=-1')).toEqual([1, []])
    expectError(await scim.send('GET', '/Users?count=ten'), 400, 'invalidValue')
  })

  it('a list shows the requested attributes, and omits the excluded ones', async () => {
    const id = await scim.createUser({ [enterprise]: { department: 'Navy', costCenter: '1' } })
    await scim.createGroup('Engineers', id)
    const first = async (path: string) => {
      const [resource] = (await scim.get(path)).Resources
      if (!resource) throw new Error('nothing is listed')
      return resource
    }

    expect(await first('/Groups?excludedAttributes=members')).not.toHaveProperty('members')
    expect(await first('/Groups')).toHaveProperty('members')
    expect(
      await first(`/Users?attributes=USERNAME,name.givenName,emails.value,${enterprise}:department`),
    ).toEqual({
      schemas: [userSchema, enterprise],
      id,
      userName: 'ada@acme.test',
      name: { givenName: 'Ada' },
      emails: [{ value: 'ada@acme.test' }],
      [enterprise]: { department: 'Navy' },
    })
    const rest = await first(`/Users?excludedAttributes=id,name.givenName,meta,${enterprise}`)
    expect(rest).toMatchObject({ id, name: { familyName: 'Lovelace' } })
    expect(rest.name).not.toHaveProperty('givenName')
    expect(rest).not.toHaveProperty('meta')
    expect(rest).not.toHaveProperty([enterprise])
  })
})
