import { isDeepStrictEqual } from 'node:util'
import type { Group, User, UserAttributes } from './records.ts'

export const enterpriseExtension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** What a directory's description of a person comes to: see `fromRawAttributes`. */
export interface DescribedUser {
  externalId?: string
  active?: boolean
  attributes: Partial<UserAttributes>
  extra?: Record<string, unknown>
}

type Field = keyof UserAttributes
type Place = readonly [field: Field, name: string]

// Where RFC 7643 (4.1 and 4.3) has what we have: at the top, in `name`, in the enterprise extension, and as the main
// value of a list.
const topPlaces: readonly Place[] = [
  ['userName', 'userName'],
  ['displayName', 'displayName'],
  ['nickName', 'nickName'],
  ['title', 'title'],
  ['userType', 'userType'],
  ['language', 'preferredLanguage'],
  ['locale', 'locale'],
  ['timezone', 'timezone'],
  ['profileUrl', 'profileUrl'],
]
const namePlaces = same('givenName', 'familyName')
const enterprisePlaces = same('department', 'division', 'costCenter', 'employeeNumber', 'organization')
const listPlaces = [
  { field: 'email', name: 'emails', usual: { type: 'work', primary: true } },
  { field: 'phoneNumber', name: 'phoneNumbers', usual: { type: 'work' } },
  { field: 'picture', name: 'photos', usual: { type: 'photo' } },
] as const

/**
 * The person as the customer's own directory would describe them (RFC 7643, 4.1 and 4.3): `raw_attributes` in an
 * event, `userDetail` in the API.
 */
export function rawAttributes({ externalId, active, attributes, extra }: User): Record<string, unknown> {
  return defined({
    ...extra,
    externalId,
    active,
    ...placed(topPlaces, attributes),
    name: some({ ...fieldsOf(extra?.name), ...placed(namePlaces, attributes) }),
    ...Object.fromEntries(
      listPlaces.map(({ field, name, usual }) => [name, listWith(attributes[field], extra?.[name], usual)]),
    ),
    [enterpriseExtension]: some({
      ...fieldsOf(extra?.[enterpriseExtension]),
      ...placed(enterprisePlaces, attributes),
    }),
  })
}

/** The same for a group. */
export function rawGroupAttributes({ displayName, externalId }: Group): Record<string, string> {
  return { displayName, ...(externalId === undefined ? {} : { externalId }) }
}

/** The way back: what has a field of ours goes there, and all else into `extra`, so that nothing is lost. */
export function fromRawAttributes(raw: Readonly<Record<string, unknown>>): DescribedUser {
  const { externalId, active, name, [enterpriseExtension]: enterprise, ...others } = raw
  const inName = taken(namePlaces, name)
  const inEnterprise = taken(enterprisePlaces, enterprise)
  const atTop = taken(topPlaces, others)
  const lists: [string, unknown][] = []
  const mains: Partial<UserAttributes> = {}
  for (const { field, name, usual } of listPlaces) {
    const main = mainOf(raw[name])?.value
    if (typeof main === 'string') mains[field] = main
    const isUsual = isDeepStrictEqual(raw[name], [{ value: main, ...usual }])
    lists.push([name, isUsual ? undefined : raw[name]])
  }
  const extra = some({
    ...atTop.rest,
    ...Object.fromEntries(lists),
    name: some(inName.rest),
    [enterpriseExtension]: some(inEnterprise.rest),
  })
  return {
    ...(typeof externalId === 'string' ? { externalId } : {}),
    ...(typeof active === 'boolean' ? { active } : {}),
    attributes: { ...atTop.found, ...inName.found, ...inEnterprise.found, ...mains },
    ...(extra === undefined ? {} : { extra }),
  }
}

/** If its main value is cleared, a list has another one. The person's field follows, so that SCIM and events agree. */
export function withMainValues(user: User): User {
  if (user.extra === undefined) return user
  const { extra: _, ...others } = user
  const { attributes, extra } = fromRawAttributes(rawAttributes(user))
  return {
    ...others,
    attributes: { ...attributes, userName: user.attributes.userName },
    ...(extra === undefined ? {} : { extra }),
  }
}

function same(...fields: Field[]): readonly Place[] {
  return fields.map((field) => [field, field])
}

function placed(places: readonly Place[], attributes: Readonly<UserAttributes>): Record<string, unknown> {
  return Object.fromEntries(places.map(([field, name]) => [name, attributes[field]]))
}

function taken(places: readonly Place[], from: unknown) {
  const rest = fieldsOf(from)
  const found: Partial<UserAttributes> = {}
  for (const [field, name] of places) {
    const value = rest[name]
    if (typeof value !== 'string') continue
    found[field] = value
    delete rest[name]
  }
  return { found, rest }
}

/** RFC 7643, 2.4: the primary value is the preferred one. If there is none, it is that of work, or else the first. */
function mainOf(list: unknown): Record<string, unknown> | undefined {
  const valued = Array.isArray(list) ? list.filter((item) => typeof item?.value === 'string') : []
  return (
    valued.find(({ primary }) => primary === true) ?? valued.find(({ type }) => type === 'work') ?? valued[0]
  )
}

/** The list that a client sent, with what its main value is now. */
function listWith(value: string | undefined, sent: unknown, usual: object): unknown {
  if (!Array.isArray(sent) || sent.length === 0) {
    return value === undefined ? undefined : [{ value, ...usual }]
  }
  const main = mainOf(sent)
  if (value !== undefined && main === undefined) return [{ value, ...usual }, ...sent]
  if (value !== undefined) return sent.map((item) => (item === main ? { ...main, value } : item))
  const others = sent.filter((item) => item !== main)
  return others.length > 0 ? others : undefined
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function some(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const present = defined(fields)
  return Object.keys(present).length > 0 ? present : undefined
}
