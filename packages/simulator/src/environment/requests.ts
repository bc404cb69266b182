import type { Provider, UserAttributes } from './records.ts'

export interface NewOrganization {
  id?: string
  displayName: string
  externalId?: string
}

/** Absent fields do not change. */
export interface OrganizationPatch {
  displayName?: string
  externalId?: string
}

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

/** Absent fields do not change. If a field is `null`, its value is removed. */
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

/** Absent fields do not change. If a field is `null`, its value is removed. */
export interface GroupPatch {
  externalId?: string | null
  displayName?: string
}
