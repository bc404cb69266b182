import type {
  DeletedDirectoryUser,
  Directory,
  DirectoryGroup,
  DirectoryUser,
  UserGroup,
  UserRole,
} from './events.ts'

/** Fields with their documented types. */
export type FieldList = readonly (readonly [name: string, type: FieldType])[]

/** A type with `?` includes null and absent. For a list, which is always optional, the type lists the entries' fields. */
export type FieldType = 'string' | 'string?' | 'boolean?' | 'object?' | FieldList

type FieldTypes<Data> = {
  readonly [Name in keyof Data]-?: null extends Data[Name] ? OptionalType<NonNullable<Data[Name]>> : 'string'
}

type OptionalType<Value> = Value extends string
  ? 'string?'
  : Value extends boolean
    ? 'boolean?'
    : Value extends readonly unknown[]
      ? FieldList
      : 'object?'

/** The compiler requires each field of the interface, with its type. */
function fieldsOf<Data>(types: FieldTypes<Data>): FieldList {
  return Object.entries<FieldType>(types)
}

const identity = { id: 'string', organization_id: 'string' } as const

export const userFields = fieldsOf<DirectoryUser>({
  ...identity,
  dp_id: 'string?',
  active: 'boolean?',
  email: 'string?',
  name: 'string?',
  given_name: 'string?',
  family_name: 'string?',
  preferred_username: 'string?',
  nickname: 'string?',
  picture: 'string?',
  phone_number: 'string?',
  title: 'string?',
  department: 'string?',
  division: 'string?',
  cost_center: 'string?',
  employee_id: 'string?',
  user_type: 'string?',
  organization: 'string?',
  language: 'string?',
  locale: 'string?',
  zoneinfo: 'string?',
  profile: 'string?',
  address: 'object?',
  groups: fieldsOf<UserGroup>({ id: 'string', name: 'string?' }),
  roles: fieldsOf<UserRole>({ role_name: 'string' }),
  custom_attributes: 'object?',
  raw_attributes: 'object?',
})

export const deletedUserFields = fieldsOf<DeletedDirectoryUser>({
  ...identity,
  dp_id: 'string?',
  email: 'string?',
})

export const groupFields = fieldsOf<DirectoryGroup>({
  ...identity,
  directory_id: 'string?',
  display_name: 'string?',
  external_id: 'string?',
  dp_id: 'string?',
  raw_attributes: 'object?',
})

export const directoryFields = fieldsOf<Directory>({
  ...identity,
  directory_type: 'string?',
  provider: 'string?',
  enabled: 'boolean?',
  updated_at: 'string?',
  status: 'string?',
  last_sync_at: 'string?',
})
