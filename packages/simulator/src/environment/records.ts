import { isJsonObject } from '@scalekit-scim/core/internal'
import { z } from 'zod'

// The records of a Scalekit environment. A simulator's file has the same format. Times are whole microseconds since
// 1970, because Scalekit's times have six decimals.

const text = z.string()
const record = z.object({ id: text, createdAtMicros: z.number(), updatedAtMicros: z.number() })

export const organization = record.extend({
  displayName: text,
  /** The application's own id for the customer. */
  externalId: text.exactOptional(),
})

export const providers = ['OKTA', 'MICROSOFT_AD', 'GOOGLE', 'ONELOGIN', 'PING_IDENTITY', 'JUMPCLOUD'] as const
export type Provider = (typeof providers)[number]

export const directory = record.extend({
  organizationId: text,
  name: text,
  provider: z.enum(providers),
  enabled: z.boolean(),
  /** The bearer token of SCIM clients. */
  scimToken: text,
})

const contained = record.extend({
  organizationId: text,
  directoryId: text,
  /** The id in the customer's own directory. If the SCIM client did not send an id, this field is absent. */
  externalId: text.exactOptional(),
})

/** The attributes of a user, with the names of RFC 7643, 4.1 and of its enterprise extension. */
export interface UserAttributes {
  userName: string
  email?: string
  displayName?: string
  givenName?: string
  familyName?: string
  nickName?: string
  picture?: string
  phoneNumber?: string
  title?: string
  department?: string
  division?: string
  costCenter?: string
  employeeNumber?: string
  userType?: string
  organization?: string
  language?: string
  locale?: string
  timezone?: string
  profileUrl?: string
}

export const user = contained.extend({
  active: z.boolean(),
  attributes: z.custom<Readonly<UserAttributes>>(
    (saved) => isJsonObject(saved) && typeof saved.userName === 'string',
  ),
  /** The attributes of the SCIM client that `attributes` does not contain. */
  extra: z.record(text, z.unknown()).exactOptional(),
  /** The user's groups, in the order in which the user joined the groups. */
  groupIds: z.array(text).readonly(),
})

export const group = contained.extend({ displayName: text })

/** A customer, which has directories. The `id` is `org_…`. */
export type Organization = Readonly<z.infer<typeof organization>>
/** A customer's connection to an identity provider. The `id` is `dir_…`. */
export type Directory = Readonly<z.infer<typeof directory>>
/** A user of a directory. The `id` is `diruser_…`. */
export type User = Readonly<z.infer<typeof user>>
/** A group of a directory. The `id` is `dirgroup_…`. */
export type Group = Readonly<z.infer<typeof group>>

/** The format of a whole environment in a file. */
export const environmentSnapshot = z.object({
  id: z.string(),
  ids: z.object({ prefix: z.string(), count: z.number() }),
  /** The time of the newest change. Later changes get a later time. */
  lastMicros: z.number(),
  organizations: z.array(organization),
  directories: z.array(directory),
  groups: z.array(group),
  users: z.array(user),
})

/** A whole environment, as JSON. */
export type EnvironmentSnapshot = z.infer<typeof environmentSnapshot>

// ── Requests to create or change a record ──

export interface NewOrganization {
  id?: string
  displayName: string
  externalId?: string
}

/** A change of an organization. Absent fields do not change. */
export type OrganizationPatch = Partial<Omit<NewOrganization, 'id'>>

export interface NewDirectory {
  id?: string
  name?: string
  /** @default 'OKTA' */
  provider?: Provider
  /** @default true */
  enabled?: boolean
}

export interface NewUser {
  id?: string
  externalId?: string
  /** @default true */
  active?: boolean
  attributes: UserAttributes
  extra?: Record<string, unknown>
  groupIds?: readonly string[]
}

/** A change of a user. Absent fields do not change. `null` removes the value of a field. */
export interface UserPatch {
  externalId?: string | null
  active?: boolean
  attributes?: { [Name in keyof UserAttributes]?: UserAttributes[Name] | null }
  /** The new value, which replaces the whole old value. */
  extra?: Record<string, unknown>
  /** The new memberships, which replace all old memberships. */
  groupIds?: readonly string[]
}

export interface NewGroup {
  id?: string
  externalId?: string
  displayName: string
}

/** A change of a group. Absent fields do not change. `null` removes the value of a field. */
export interface GroupPatch {
  externalId?: string | null
  displayName?: string
}

// ── Errors ──

export type EnvironmentErrorReason = 'not-found' | 'invalid' | 'conflict' | 'directory-disabled'

/** The environment refused a call. The API, SCIM and the console convert the reason to errors of their protocols. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError'
  readonly reason: EnvironmentErrorReason

  constructor(reason: EnvironmentErrorReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** @throws EnvironmentError 'invalid' */
export function requireText(name: string, text: string): string {
  if (text.trim() === '') throw new EnvironmentError('invalid', `${name} must not be empty`)
  return text
}
