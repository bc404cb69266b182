import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import type { Group, User, UserAttributes } from './records.ts'

export const enterpriseExtension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** The fields that `fromRawAttributes` reads. */
type ParsedUser = Partial<Pick<User, 'externalId' | 'active' | 'extra'>> & {
  attributes: Partial<UserAttributes>
}

type Field = keyof UserAttributes
type Place = readonly [field: Field, name: string]

// The places of a user's fields in RFC 7643 (4.1 and 4.3): the top level, `name`, the enterprise extension, or the
// main value of a list.
const topPlaces: readonly Place[] = [
  ...same('userName', 'displayName', 'nickName', 'title', 'userType', 'locale', 'timezone', 'profileUrl'),
  ['language', 'preferredLanguage'],
]
const objectPlaces = {
  name: same('givenName', 'familyName'),
  [enterpriseExtension]: same('department', 'division', 'costCenter', 'employeeNumber', 'organization'),
}
const listPlaces = [
  { field: 'email', name: 'emails', usual: { type: 'work', primary: true } },
  { field: 'phoneNumber', name: 'phoneNumbers', usual: { type: 'work' } },
  { field: 'picture', name: 'photos', usual: { type: 'photo' } },
] as const

/**
 * Returns the user in the format of the customer's directory (RFC 7643, 4.1 and 4.3). Events contain the result as
 * `raw_attributes`. The API returns the result as `userDetail`.
 */
export function rawAttributes({ externalId, active, attributes, extra }: User): JsonObject {
  const raw: JsonObject = { ...extra, externalId, active, ...placed(topPlaces, attributes) }
  for (const [name, places] of Object.entries(objectPlaces)) {
    raw[name] = unlessEmpty({ ...objectOf(extra?.[name]), ...placed(places, attributes) })
  }
  for (const { field, name, usual } of listPlaces) {
    raw[name] = listWith(attributes[field], extra?.[name], usual)
  }
  return omitUndefined(raw)
}

/** Returns the group in the format of the customer's directory. */
export function rawGroupAttributes({ displayName, externalId }: Group): Record<string, string> {
  return { displayName, ...omitUndefined({ externalId }) }
}

/** Converts the result of `rawAttributes` back. Values without a field in UserAttributes become `extra`. */
export function fromRawAttributes(raw: Readonly<JsonObject>): ParsedUser {
  const { externalId, active, ...others } = raw
  const { found: attributes, rest } = taken(topPlaces, others)
  for (const [name, places] of Object.entries(objectPlaces)) {
    const inObject = taken(places, raw[name])
    Object.assign(attributes, inObject.found)
    // Moves the object to the end, so that `schemas` lists the enterprise extension last.
    delete rest[name]
    rest[name] = unlessEmpty(inObject.rest)
  }
  for (const { field, name, usual } of listPlaces) {
    const main = mainOf(raw[name])?.value
    if (typeof main === 'string') attributes[field] = main
    if (isDeepStrictEqual(raw[name], [{ value: main, ...usual }])) delete rest[name]
  }
  return {
    ...(typeof externalId === 'string' ? { externalId } : {}),
    ...(typeof active === 'boolean' ? { active } : {}),
    attributes,
    ...omitUndefined({ extra: unlessEmpty(rest) }),
  }
}

/**
 * Sets the user's fields to the main values of the lists. If a PATCH removes a main value, another value of the list
 * becomes the main value.
 */
export function withMainValues(user: User): User {
  if (user.extra === undefined) return user
  const { extra: _, ...others } = user
  const { attributes, extra } = fromRawAttributes(rawAttributes(user))
  return {
    ...others,
    attributes: { ...attributes, userName: user.attributes.userName },
    ...omitUndefined({ extra }),
  }
}

function same(...fields: Field[]): readonly Place[] {
  return fields.map((field) => [field, field])
}

function placed(places: readonly Place[], attributes: Readonly<UserAttributes>): JsonObject {
  return Object.fromEntries(places.map(([field, name]) => [name, attributes[field]]))
}

function taken(places: readonly Place[], from: unknown) {
  const rest = objectOf(from)
  const found: Partial<UserAttributes> = {}
  for (const [field, name] of places) {
    const value = rest[name]
    if (typeof value !== 'string') continue
    found[field] = value
    delete rest[name]
  }
  return { found, rest }
}

/**
 * Returns the primary value of a list (RFC 7643, 2.4). Without a primary value, returns the value of type work. Without
 * a value of type work, returns the first value.
 */
function mainOf(list: unknown): JsonObject | undefined {
  const valued = Array.isArray(list) ? list.filter((item) => typeof item?.value === 'string') : []
  return (
    valued.find(({ primary }) => primary === true) ?? valued.find(({ type }) => type === 'work') ?? valued[0]
  )
}

/** Returns the list that a client sent, with the user's current value as the main value. */
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

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? { ...value } : {}
}

function unlessEmpty(fields: JsonObject): JsonObject | undefined {
  const present = omitUndefined(fields)
  return Object.keys(present).length > 0 ? present : undefined
}
