// The records of a Scalekit environment. Times are whole microseconds since 1970, because Scalekit's times have six
// decimals.

/** A customer: the tenant that a directory belongs to. */
export interface Organization {
  /** `org_…` */
  readonly id: string
  readonly displayName: string
  /** The application's own id for the customer. */
  readonly externalId?: string
  readonly createdAtMicros: number
  readonly updatedAtMicros: number
}

/** A customer's connection to an identity provider. */
export interface Directory {
  /** `dir_…` */
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly provider: Provider
  readonly enabled: boolean
  /** The bearer token of SCIM clients. */
  readonly scimToken: string
  readonly createdAtMicros: number
  readonly updatedAtMicros: number
}

export const providers = ['OKTA', 'MICROSOFT_AD', 'GOOGLE', 'ONELOGIN', 'PING_IDENTITY', 'JUMPCLOUD'] as const
export type Provider = (typeof providers)[number]

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

export interface User {
  /** `diruser_…` */
  readonly id: string
  readonly organizationId: string
  readonly directoryId: string
  /** The id in the customer's own directory. Absent if the SCIM client did not send an id. */
  readonly externalId?: string
  readonly active: boolean
  readonly attributes: Readonly<UserAttributes>
  /** The attributes of the SCIM client that have no field in `attributes`. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** In the order in which the user joined the groups. */
  readonly groupIds: readonly string[]
  readonly createdAtMicros: number
  readonly updatedAtMicros: number
}

export interface Group {
  /** `dirgroup_…` */
  readonly id: string
  readonly organizationId: string
  readonly directoryId: string
  /** The id in the customer's own directory. Absent if the SCIM client did not send an id. */
  readonly externalId?: string
  readonly displayName: string
  readonly createdAtMicros: number
  readonly updatedAtMicros: number
}

// ── Requests to create or change a record ──

export interface NewOrganization {
  id?: string
  displayName: string
  externalId?: string
}

/** Absent fields do not change. */
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

/** Absent fields do not change. `null` removes the value of a field. */
export interface UserPatch {
  externalId?: string | null
  active?: boolean
  attributes?: { [Name in keyof UserAttributes]?: UserAttributes[Name] | null }
  /** Replaces the whole value. */
  extra?: Record<string, unknown>
  /** Replaces all memberships. */
  groupIds?: readonly string[]
}

export interface NewGroup {
  id?: string
  externalId?: string
  displayName: string
}

/** Absent fields do not change. `null` removes the value of a field. */
export interface GroupPatch {
  externalId?: string | null
  displayName?: string
}

// ── Errors ──

export type EnvironmentErrorReason = 'not-found' | 'invalid' | 'conflict' | 'directory-disabled'

/** The environment refused a call. The API, SCIM and the console each convert the reason to their own error. */
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
