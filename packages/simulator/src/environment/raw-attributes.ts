import type { User } from './records.ts'

export const enterpriseExtension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/**
 * The person as the customer's own directory would describe them (RFC 7643, 4.1 and 4.3): `raw_attributes` in an
 * event, `userDetail` in the API.
 */
export function rawAttributes({ externalId, active, attributes, extra }: User): Record<string, unknown> {
  const { userName, email, displayName, givenName, familyName, phoneNumber, ...others } = attributes
  const { nickName, picture, title, userType, language, locale, timezone, profileUrl, ...enterprise } = others
  return defined({
    ...extra,
    externalId,
    userName,
    active,
    displayName,
    name: some({ givenName, familyName }),
    emails: email === undefined ? undefined : [{ value: email, type: 'work', primary: true }],
    phoneNumbers: phoneNumber === undefined ? undefined : [{ value: phoneNumber, type: 'work' }],
    photos: picture === undefined ? undefined : [{ value: picture, type: 'photo' }],
    nickName,
    title,
    userType,
    preferredLanguage: language,
    locale,
    timezone,
    profileUrl,
    [enterpriseExtension]: some({ ...enterprise }),
  })
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function some(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const present = defined(fields)
  return Object.keys(present).length > 0 ? present : undefined
}
