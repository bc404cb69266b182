import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import {
  enterprise,
  expectError,
  openScimDirectory,
  type ScimBody,
  type ScimDirectory,
  takeEventTypes,
} from './scim-directory.ts'

const seed = Number(process.env.FC_SEED ?? 20_261_127)
const badge = 'urn:acme:badge:1.0'

async function open(): Promise<ScimDirectory> {
  const scim = await openScimDirectory()
  onTestFinished(() => scim.close())
  return scim
}

const operations: [form: string, of: (path: string) => object][] = [
  ['remove', (path) => ({ op: 'remove', path })],
  ['replace with null', (path) => ({ op: 'replace', path, value: null })],
  ['replace with null, without a path', (path) => ({ op: 'Replace', value: { [path]: null } })],
]
const paths = [
  'title',
  'name.middleName',
  'name',
  'emails[type eq "home"]',
  'emails[type eq "home"].value',
  'emails[type eq "home"].display',
  'phoneNumbers[type eq "mobile"].value',
  'phoneNumbers.value',
  'addresses[type eq "work"].locality',
  'addresses.locality',
  'roles[primary eq "True"].value',
  `${enterprise}:department`,
  `${enterprise}:manager.value`,
  `${enterprise}:manager`,
  enterprise,
  'favourites',
  'favourites[type eq "food"].name',
  'favourites.name',
  `${badge}:number`,
  badge,
  'urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User',
]

it.each(operations.flatMap(([form, of]) => paths.map((path) => [form, path, of(path)] as const)))(
  'a request that clears an absent attribute changes nothing: %s of %s',
  async (_form, _path, operation) => {
    const scim = await open()
    const { body: before } = await scim.send('POST', '/Users', {
      userName: 'ada',
      emails: [{ value: 'ada@acme.test', type: 'work' }],
    })
    takeEventTypes(scim.events)
    const { status, body } = await scim.patch(`/Users/${before.id}`, operation)
    expect(status).toBe(200)
    expect(body).toEqual(before)
    expect(takeEventTypes(scim.events)).toEqual([])
  },
)

it.each([
  ['a sub-attribute that a string cannot have', { op: 'remove', path: 'title.short' }],
  ['a sub-attribute that values of a list cannot have', { op: 'remove', path: 'colours.short' }],
  [
    'a sub-attribute that is added as null',
    { op: 'add', value: { name: { givenName: null }, [enterprise]: null } },
  ],
])('a request changes nothing: %s', async (_case, operation) => {
  const scim = await open()
  const { body: before } = await scim.send('POST', '/Users', {
    userName: 'ada',
    title: 'Countess',
    colours: ['red', 'blue'],
    name: { givenName: 'Ada' },
    [enterprise]: { department: 'Navy' },
  })
  expect((await scim.patch(`/Users/${before.id}`, operation)).body).toEqual(before)
})

it.each(operations)('a request removes values and parts of values: %s', async (_form, of) => {
  const scim = await open()
  const id = await scim.createUser({
    title: 'Countess',
    addresses: [{ type: 'work', locality: 'London' }, { locality: 'Paris' }],
    [enterprise]: { department: 'Navy', manager: { value: 'diruser_1' } },
    [badge]: { number: 12 },
  })
  const cleared = ['title', 'addresses.locality', 'emails.value', `${enterprise}:manager`, badge]
  const { body } = await scim.patch(`/Users/${id}`, ...cleared.map(of))
  expect(body).toMatchObject({ addresses: [{ type: 'work' }], [enterprise]: { department: 'Navy' } })
  expect(body.addresses).toHaveLength(1)
  expect(body[enterprise]).not.toHaveProperty('manager')
  for (const name of ['title', 'emails', badge]) expect(body).not.toHaveProperty([name])
  const { body: after } = await scim.patch(`/Users/${id}`, {
    op: 'replace',
    path: 'name',
    value: { GIVENNAME: null },
  })
  expect(after.name).toEqual({ familyName: 'Lovelace' })
})

it.each([
  [
    'a filter on an attribute that is not a list',
    { op: 'remove', path: 'title[value eq "Countess"]' },
    'invalidPath',
  ],
  ['an extension that is not an object', { op: 'replace', value: { [enterprise]: 'Navy' } }, 'invalidValue'],
  ['the whole resource', { op: 'remove', path: 'urn:ietf:params:scim:schemas:core:2.0:User' }, 'noTarget'],
])('a request is refused: %s', async (_case, operation, scimType) => {
  const scim = await open()
  const id = await scim.createUser({ title: 'Countess', [enterprise]: { department: 'Navy' } })
  const before = await scim.get(`/Users/${id}`)
  expectError(await scim.patch(`/Users/${id}`, operation), 400, scimType)
  expect(await scim.get(`/Users/${id}`)).toEqual(before)
})

// ── Random changes ──

const text = fc.constantFrom('a@acme.test', 'b@acme.test', 'c@acme.test')
const type = fc.constantFrom('work', 'home', 'other')
const entry = fc.record(
  { value: fc.option(text, { nil: null }), type, primary: fc.boolean(), display: text },
  { requiredKeys: [] },
)
const entries = fc.array(entry, { maxLength: 3 }).map((list) => {
  const first = list.findIndex(({ primary }) => primary)
  return list.map((one, index) => (index === first ? one : { ...one, primary: false }))
})
const path = fc.oneof(
  fc.constantFrom('emails', 'emails.value', 'emails.type', 'emails.display'),
  fc
    .tuple(type, fc.constantFrom('', '.value', '.type', '.primary', '.display'))
    .map(([one, rest]) => `emails[type eq "${one}"]${rest}`),
)
const change = fc.oneof(
  fc.record({ kind: fc.constant('clear'), path, form: fc.nat({ max: 2 }) }),
  fc.record({
    kind: fc.constant('set'),
    op: fc.constantFrom('add', 'replace'),
    type,
    value: fc.option(text, { nil: null }),
  }),
  fc.record({ kind: fc.constant('prefer'), type, primary: fc.boolean() }),
  fc.record({ kind: fc.constant('list'), op: fc.constantFrom('add', 'replace', 'PUT'), entries }),
  fc.record({ kind: fc.constant('own'), email: fc.option(text, { nil: null }) }),
)
type Change = typeof change extends fc.Arbitrary<infer Made> ? Made : never

/** Makes one change over SCIM or in the console. */
async function carryOut(scim: ScimDirectory, id: string, made: Change): Promise<void> {
  const path = `/Users/${id}`
  if (made.kind === 'own') scim.environment.updateUser(id, { attributes: { email: made.email } })
  else if (made.kind === 'clear') await scim.patch(path, operations[made.form]?.[1](made.path) ?? {})
  else if (made.kind === 'set')
    await scim.patch(path, { op: made.op, path: `emails[type eq "${made.type}"].value`, value: made.value })
  else if (made.kind === 'prefer')
    await scim.patch(path, { op: 'add', path: `emails[type eq "${made.type}"].primary`, value: made.primary })
  else if (made.op === 'PUT') await scim.send('PUT', path, { userName: 'ada', emails: made.entries })
  else await scim.patch(path, { op: made.op, path: 'emails', value: made.entries })
}

/**
 * RFC 7643, 2.4: returns the primary value, or the value for work, or the first value. Scalekit's events have one
 * value.
 */
function emailShown({ emails }: ScimBody): unknown {
  if (!Array.isArray(emails)) return undefined
  const one = emails.find(({ primary }) => primary) ?? emails.find(({ type }) => type === 'work') ?? emails[0]
  return one.value
}

it(`a user has the same email in SCIM and in events after each of many changes, and sends events only for changes (seed ${seed})`, async () => {
  const scim = await open()
  await fc.assert(
    fc.asyncProperty(entries, fc.array(change, { minLength: 1, maxLength: 12 }), async (first, changes) => {
      const { body } = await scim.send('POST', '/Users', { userName: 'ada', emails: first })
      const path = `/Users/${body.id}`
      let before = body
      let toldEmail: unknown
      const check = (after: ScimBody, what: unknown) => {
        const events = scim.events.splice(0)
        const email = events.map(({ data }) => Object(data).email).at(-1)
        if (events.length > 0) toldEmail = email
        expect({ what, email: emailShown(after) }).toEqual({ what, email: toldEmail })
        for (const one of Array.isArray(after.emails) ? after.emails : []) {
          expect({ what, one }).toEqual({ what, one: expect.objectContaining({ value: expect.any(String) }) })
        }
        return events.length
      }
      check(body, 'creation')
      for (const made of changes) {
        await carryOut(scim, body.id, made)
        const after = await scim.get(path)
        const events = check(after, { made, before: before.emails })
        expect({ made, isTold: events > 0 }).toEqual({
          made,
          isTold: after.meta.version !== before.meta.version,
        })
        before = after
      }
      await scim.send('DELETE', path)
      scim.events.length = 0
    }),
    { seed, numRuns: 300 },
  )
})
