import type { DirectoryEventType } from '@scalekit-scim/core'
import { z } from 'zod'

// The documented fields of each kind of data, a second time: core checks them without zod, and the tests compare both
// checks. The schemas are open: unknown fields are accepted.

const text = z.string().nullish()
/** Any object except a list. `z.record` would also read each key, and refuse an instance of a class. */
const record = z.looseObject({}).nullish()
const flag = z.boolean().nullish()

const identity = { id: z.string(), organization_id: z.string() }

export const userSchema = z.looseObject({
  ...identity,
  dp_id: text,
  active: flag,
  email: text,
  name: text,
  given_name: text,
  family_name: text,
  preferred_username: text,
  nickname: text,
  picture: text,
  phone_number: text,
  title: text,
  department: text,
  division: text,
  cost_center: text,
  employee_id: text,
  user_type: text,
  organization: text,
  language: text,
  locale: text,
  zoneinfo: text,
  profile: text,
  address: record,
  groups: z.array(z.looseObject({ id: z.string(), name: text })).nullish(),
  roles: z.array(z.looseObject({ role_name: z.string() })).nullish(),
  custom_attributes: record,
  raw_attributes: record,
})

export const deletedUserSchema = z.looseObject({ ...identity, dp_id: text, email: text })

export const groupSchema = z.looseObject({
  ...identity,
  directory_id: text,
  display_name: text,
  external_id: text,
  dp_id: text,
  raw_attributes: record,
})

export const directorySchema = z.looseObject({
  ...identity,
  directory_type: text,
  provider: text,
  enabled: flag,
  updated_at: text,
  status: text,
  last_sync_at: text,
})

export const dataSchemas: Readonly<Record<DirectoryEventType, z.ZodObject>> = {
  'organization.directory.user_created': userSchema,
  'organization.directory.user_updated': userSchema,
  'organization.directory.user_deleted': deletedUserSchema,
  'organization.directory.group_created': groupSchema,
  'organization.directory.group_updated': groupSchema,
  'organization.directory.group_deleted': groupSchema,
  'organization.directory_enabled': directorySchema,
  'organization.directory_disabled': directorySchema,
}
