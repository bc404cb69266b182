import type { DirectoryUser } from '@scalekit-scim/core'
import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import type { ApiUser } from './directory-api.ts'

/** RFC 7643, 4.3 */
const enterpriseExtension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

type Names = Pick<ApiUser, 'givenName' | 'familyName'>

/**
 * Returns the user's attributes from the customer's directory, under the names that webhooks use. Values of an
 * unexpected type are only in `raw_attributes`.
 */
export function attributesOf(detail: JsonObject, user: Names): Partial<DirectoryUser> {
  const name = objectIn(detail, 'name')
  const enterprise = objectIn(detail, enterpriseExtension)
  return omitUndefined({
    name: nameOf(detail, name, user),
    given_name: textIn(name, 'givenName'),
    family_name: textIn(name, 'familyName'),
    nickname: textIn(detail, 'nickName'),
    picture: mainValue(detail.photos),
    phone_number: mainValue(detail.phoneNumbers),
    title: textIn(detail, 'title'),
    department: textIn(enterprise, 'department'),
    division: textIn(enterprise, 'division'),
    cost_center: textIn(enterprise, 'costCenter'),
    employee_id: textIn(enterprise, 'employeeNumber'),
    user_type: textIn(detail, 'userType'),
    organization: textIn(enterprise, 'organization'),
    language: textIn(detail, 'preferredLanguage'),
    locale: textIn(detail, 'locale'),
    zoneinfo: textIn(detail, 'timezone'),
    profile: textIn(detail, 'profileUrl'),
    active: activeIn(detail),
  })
}

/**
 * Reads `active`. Entra sends the text `"False"`. Attribute names can have any case (RFC 7643, 2.1). For any other
 * value, returns `undefined`, so that the application's state does not change.
 */
function activeIn(detail: JsonObject): boolean | undefined {
  const name = 'active' in detail ? 'active' : Object.keys(detail).find((key) => /^active$/i.test(key))
  const active = name === undefined ? undefined : detail[name]
  if (typeof active === 'boolean') return active
  if (typeof active !== 'string') return undefined
  const text = active.toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : undefined
}

/** Returns the first name that is present: the display name, the formatted name, or the given and family name. */
function nameOf(detail: JsonObject, name: JsonObject | undefined, user: Names): string | undefined {
  const given = user.givenName || textIn(name, 'givenName')
  const family = user.familyName || textIn(name, 'familyName')
  const both = [given, family].filter(Boolean).join(' ')
  return textIn(detail, 'displayName') || textIn(name, 'formatted') || both || undefined
}

/**
 * Returns the primary value of a multi-valued attribute (RFC 7643, 2.4). If no value is primary, returns the first
 * value.
 */
function mainValue(values: unknown): string | undefined {
  if (!Array.isArray(values)) return undefined
  const entries = values.filter(isJsonObject)
  return textIn(entries.find(({ primary }) => primary === true) ?? entries[0], 'value')
}

function textIn(fields: JsonObject | undefined, name: string): string | undefined {
  const text = fields?.[name]
  return typeof text === 'string' ? text : undefined
}

function objectIn(fields: JsonObject, name: string): JsonObject | undefined {
  const value = fields[name]
  return isJsonObject(value) ? value : undefined
}
