import type { DirectoryEvent } from '@scalekit-scim/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openScimDirectory, type ScimBody, type ScimDirectory } from './scim-directory.ts'

// RFC 7643, 3.1: "The value of the 'externalId' attribute is always issued by the provisioning client".

const seed = Number(process.env.FC_SEED ?? 20_261_127)

let scim: ScimDirectory
beforeEach(async () => {
  scim = await openScimDirectory()
})
afterEach(() => scim.close())

const kinds = [
  { path: '/Users', fields: { userName: 'ada' }, usual: '00u' },
  { path: '/Groups', fields: { displayName: 'Engineers' }, usual: '00g' },
] as const

const lastEvent = (): DirectoryEvent | undefined => scim.events.at(-1)
const rawAttributes = () => Object(lastEvent()?.data).raw_attributes
const dpId = () => Object(lastEvent()?.data).dp_id

describe.each(kinds)('externalId in $path', ({ path, fields, usual }) => {
  const create = async (more: object = {}): Promise<ScimBody> => {
    const { status, body } = await scim.send('POST', path, { ...fields, ...more })
    expect(status).toBe(201)
    return body
  }

  it('externalId is absent if the client sent none, and the event has a dp_id of its own', async () => {
    const body = await create()
    expect(body).not.toHaveProperty('externalId')
    expect(await scim.get(`${path}/${body.id}`)).not.toHaveProperty('externalId')
    expect(dpId()).toMatch(new RegExp(`^${usual}\\d+$`))
    expect(rawAttributes()).not.toHaveProperty('externalId')
    const filter = new URLSearchParams({ filter: 'externalId pr' })
    expect(await scim.get(`${path}?${filter}`)).toMatchObject({ totalResults: 0 })
  })

  it.each<[string, (id: string) => Promise<unknown>]>([
    ['remove', (id) => scim.patch(`${path}/${id}`, { op: 'remove', path: 'externalId' })],
    [
      'replace with null',
      (id) => scim.patch(`${path}/${id}`, { op: 'replace', path: 'externalId', value: null }),
    ],
    [
      'replace with null, without a path',
      (id) => scim.patch(`${path}/${id}`, { op: 'replace', value: { EXTERNALID: null } }),
    ],
    ['PUT with null', (id) => scim.send('PUT', `${path}/${id}`, { ...fields, externalId: null })],
  ])('externalId is removed by %s', async (_way, clear) => {
    const { id } = await create({ externalId: 'ext-1' })
    expect(dpId()).toBe('ext-1')
    await clear(id)
    expect(await scim.get(`${path}/${id}`)).not.toHaveProperty('externalId')
    expect(rawAttributes()).not.toHaveProperty('externalId')
    expect(dpId()).toMatch(new RegExp(`^${usual}\\d+$`))
    scim.events.length = 0
    await clear(id)
    expect(scim.events).toEqual([])
  })

  it('externalId stays if a PUT does not name it', async () => {
    const { id } = await create({ externalId: 'ext-1' })
    const { body } = await scim.send('PUT', `${path}/${id}`, fields)
    expect(body).toMatchObject({ externalId: 'ext-1' })
  })

  it(`externalId is the value that the client set last, after any number of requests (seed ${seed})`, async () => {
    let created = 0
    const value = fc.option(fc.constantFrom('ext-1', 'ext-2', ''))
    const change = fc.oneof(
      fc.record({ op: fc.constantFrom('add', 'replace'), value }),
      fc.record({ op: fc.constant('remove'), value: fc.constant(null) }),
      fc.record({ op: fc.constant('PUT'), value: fc.option(value, { nil: undefined }) }),
    )
    await fc.assert(
      fc.asyncProperty(value, fc.array(change, { maxLength: 8 }), async (first, changes) => {
        const { id } = await create({ userName: `user ${++created}`, externalId: first })
        let wanted = first ?? undefined
        for (const { op, value } of changes) {
          if (op === 'PUT') {
            const { userName } = await scim.get(`${path}/${id}`)
            await scim.send('PUT', `${path}/${id}`, { ...fields, userName, externalId: value })
            if (value !== undefined) wanted = value ?? undefined
          } else {
            await scim.patch(`${path}/${id}`, {
              op,
              path: 'externalId',
              ...(op === 'remove' ? {} : { value }),
            })
            // Adding null changes nothing.
            if (op !== 'add' || value !== null) wanted = value ?? undefined
          }
          expect((await scim.get(`${path}/${id}`)).externalId).toBe(wanted)
        }
        if (changes.length > 0 && wanted !== undefined) expect(dpId()).toBe(wanted)
      }),
      { seed, numRuns: 100 },
    )
  })
})
