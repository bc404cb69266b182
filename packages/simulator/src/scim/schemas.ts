import SCIMMY from 'scimmy'

/** The characteristics of an attribute (RFC 7643, 7) that this server uses. */
export interface Attribute {
  readonly name: string
  readonly type: string
  readonly multiValued: boolean
  readonly mutability: string
  readonly subAttributes?: readonly Attribute[]
}

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** A type of resource, with its own schema and its extension. */
export interface ResourceType {
  readonly name: 'User' | 'Group'
  readonly endpoint: '/Users' | '/Groups'
  readonly schema: Schema
  readonly extension?: Schema
}

const { User, Group, EnterpriseUser } = SCIMMY.Schemas

export const userType: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  schema: schemaOf(User.definition),
  extension: schemaOf(EnterpriseUser.definition),
}
export const groupType: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  schema: schemaOf(Group.definition),
}
export const resourceTypes: readonly ResourceType[] = [userType, groupType]

/**
 * Returns the schema of RFC 7643, 8.7.1. JSON converts the class instances of the library into plain objects. By the
 * RFC, the server sets the display name of a manager. The simulator accepts the client's name instead.
 */
function schemaOf(definition: SCIMMY.Types.SchemaDefinition): Schema {
  return JSON.parse(JSON.stringify(definition.describe()), (_key, value) =>
    value?.name === 'displayName' ? { ...value, mutability: 'readWrite' } : value,
  )
}

// RFC 7643, 3.1: every resource has the common attributes, but no schema contains them.
const commonAttributes: readonly Attribute[] = [
  { name: 'schemas', type: 'reference', multiValued: true, mutability: 'readWrite' },
  { name: 'id', type: 'string', multiValued: false, mutability: 'readOnly' },
  { name: 'externalId', type: 'string', multiValued: false, mutability: 'readWrite' },
  { name: 'meta', type: 'complex', multiValued: false, mutability: 'readOnly' },
]

/** Returns the top-level attributes of the given resource type, without extensions. */
export function topAttributes(type: ResourceType): readonly Attribute[] {
  return [...commonAttributes, ...type.schema.attributes]
}

/** Returns the attribute with this name. Ignores case (RFC 7643, 2.1). */
export function attributeNamed(
  attributes: readonly Attribute[] | undefined,
  name: string,
): Attribute | undefined {
  const wanted = name.toLowerCase()
  return attributes?.find((attribute) => attribute.name.toLowerCase() === wanted)
}
