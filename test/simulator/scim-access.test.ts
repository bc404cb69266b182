import { createSimulator } from '@scalekit-scim/simulator'
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

describe('authentication', () => {
  it.each([
    ['without a token', null],
    ['with a wrong token', 'scim_wrong'],
    ['with an empty token', ''],
  ])('the server answers 401 %s, with a challenge', async (_case, token) => {
    const answer = await scim.send('GET', '/Users', undefined, { token })
    expectError(answer, 401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  it("the server answers 401 to another directory's token", async () => {
    const other = scim.environment.createDirectory(scim.directory.organizationId)
    expectError(await scim.send('GET', '/Users', undefined, { token: other.scimToken }), 401)
  })

  it('the server answers 404 for an unknown directory', async () => {
    expectError(await scim.send('GET', scim.baseUrl.replace(scim.directory.id, 'dir_1')), 404)
  })

  it.each(['/scim', '/scim/v2', '/scim/v2/'])(
    'the server answers 404 with a SCIM error and the right address at %s',
    async (path) => {
      await using simulator = await createSimulator()
      const response = await fetch(simulator.url + path)
      expect(response.headers.get('content-type')).toContain('application/scim+json')
      const body = await response.json()
      expect(body).toMatchObject({ status: '404', detail: expect.stringContaining('/scim/v2/') })
    },
  )

  it('the server answers 403 while the directory is disabled, and changes nothing', async () => {
    const id = await scim.createUser()
    scim.environment.setDirectoryEnabled(scim.directory.id, false)
    expectError(await scim.send('DELETE', `/Users/${id}`), 403)
    expect(scim.environment.user(id).active).toBe(true)
  })

  it.each([
    ['https', /^https:\/\/127/],
    ['HTTPS, http', /^https:\/\/127/],
    ['http', /^http:\/\/127/],
    ['javascript', /^http:\/\/127/],
    ['', /^http:\/\/127/],
  ])(
    'the server returns the addresses that a client behind a tunnel uses: x-forwarded-proto: %s',
    async (proto, wanted) => {
      const headers = { 'x-forwarded-proto': proto }
      const user = await scim.send('POST', '/Users', ada, { headers })
      expect(user.body.meta.location).toMatch(wanted)
      expect(user.headers.get('location')).toBe(user.body.meta.location)
      const members = [{ value: user.body.id }]
      const group = await scim.send('POST', '/Groups', { displayName: 'All', members }, { headers })
      expect(group.body.meta.location).toMatch(wanted)
      expect(group.body.members[0]).toMatchObject({ $ref: expect.stringMatching(wanted) })
      const config = await scim.send('GET', '/ServiceProviderConfig', undefined, { headers })
      expect(config.body.meta.location).toMatch(wanted)
    },
  )

  it('the server refuses a request without a token before it reads the body', async () => {
    expectError(await scim.send('POST', '/Users', '{"userName":', { token: 'scim_wrong' }), 401)
  })
})

describe('several directories in one process', () => {
  it("a directory's token cannot read, change or add as a member another directory's user", async () => {
    const other = scim.environment.createDirectory(scim.directory.organizationId)
    const stranger = scim.environment.createUser(other.id, { attributes: { userName: 'eve@acme.test' } })
    scim.events.length = 0
    expectError(await scim.send('GET', `/Users/${stranger.id}`), 404)
    expectError(await scim.send('DELETE', `/Users/${stranger.id}`), 404)
    expectError(
      await scim.patch(`/Users/${stranger.id}`, { op: 'replace', path: 'active', value: false }),
      404,
    )
    expectError(
      await scim.send('POST', '/Groups', { displayName: 'All', members: [{ value: stranger.id }] }),
      400,
      'invalidValue',
    )
    expect(takeEventTypes(scim.events)).toEqual([])
  })

  it('the server uses the addresses of each directory in concurrent requests', async () => {
    const other = scim.environment.createDirectory(scim.directory.organizationId)
    const ask = async (id: string, token: string) => {
      const base = scim.baseUrl.replace(scim.directory.id, id)
      const { body } = await scim.send('POST', `${base}/Users`, ada, { token })
      expect(body.meta.location).toBe(`${base}/Users/${body.id}`)
    }
    await Promise.all([ask(scim.directory.id, scim.directory.scimToken), ask(other.id, other.scimToken)])
  })
})

describe('discovery', () => {
  it('the server describes its features', async () => {
    expect(await scim.get('/ServiceProviderConfig')).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      filter: { supported: true, maxResults: 1000 },
      etag: { supported: true },
      sort: { supported: false },
      authenticationSchemes: [{ type: 'oauthbearertoken' }],
    })
  })

  it('the server lists resource types and schemas, and returns each by its id', async () => {
    for (const [path, ids] of [
      ['/ResourceTypes', ['User', 'Group']],
      ['/Schemas', [userSchema, enterprise, groupSchema]],
    ] as const) {
      const { Resources, totalResults } = await scim.get(path)
      expect(totalResults).toBe(ids.length)
      expect(Resources.map(({ id }) => id)).toEqual(ids)
      for (const resource of Resources) {
        expect(await scim.get(`${path}/${resource.id}`)).toEqual(resource)
        expect(resource.meta.location).toBe(`${scim.baseUrl}${path}/${resource.id}`)
      }
      expectError(await scim.send('GET', `${path}/none`), 404)
    }
  })

  it.each(['/Me', '/Bulk'])('the server answers 501 for %s', async (path) => {
    expectError(await scim.send('POST', path, {}), 501)
  })

  it('the server answers 404 for an unknown address', async () => {
    expectError(await scim.send('GET', '/Devices'), 404)
    expectError(await scim.send('POST', '/Users/diruser_1', {}), 404)
  })
})
