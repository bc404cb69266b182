import { enterpriseExtension } from '../environment/raw-attributes.ts'

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** A type of resource: its own schema, and its extension. */
export interface ResourceType {
  readonly name: 'User' | 'Group'
  readonly endpoint: '/Users' | '/Groups'
  readonly schema: Schema
  readonly extension?: Schema
}

/** The description of an attribute (RFC 7643, 7). */
export interface Attribute {
  readonly name: string
  readonly type: 'string' | 'boolean' | 'complex' | 'reference' | 'dateTime' | 'binary'
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness: 'none' | 'server' | 'global'
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  readonly subAttributes?: readonly Attribute[]
}

type Traits = Partial<Omit<Attribute, 'name' | 'description'>>

function attribute(name: string, description: string, traits: Traits = {}): Attribute {
  return {
    name,
    type: 'string',
    multiValued: false,
    description,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...traits,
  }
}

function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  traits: Traits = {},
): Attribute {
  return attribute(name, description, { type: 'complex', subAttributes, ...traits })
}

/** A list of values with the sub-attributes of RFC 7643, 2.4. */
function list(name: string, description: string, types: readonly string[], value: Traits = {}) {
  const subAttributes = [
    attribute('value', 'The value itself.', value),
    attribute('display', 'The value as text for display.'),
    attribute('type', 'The kind of the value.', types.length > 0 ? { canonicalValues: types } : {}),
    attribute('primary', 'Whether this is the preferred value. At most one value is.', { type: 'boolean' }),
  ]
  return complex(name, description, subAttributes, { multiValued: true })
}

const exact = { caseExact: true } as const
const readOnly = { mutability: 'readOnly' } as const
const immutable = { mutability: 'immutable' } as const
const multiValued = { multiValued: true } as const

/**
 * Returns the characteristics of an attribute whose value is a URI. The URI refers to a resource of the given type, or
 * to anything else if the type is 'external' (RFC 7643, 7).
 */
function reference(type: 'User' | 'Group' | 'external') {
  return { type: 'reference', referenceTypes: [type], ...exact } as const
}

const metaParts = [
  attribute('resourceType', 'The type of the resource.', { ...exact, ...readOnly }),
  attribute('created', 'The time of its creation.', { type: 'dateTime', ...readOnly }),
  attribute('lastModified', 'The time of its last change.', { type: 'dateTime', ...readOnly }),
  attribute('location', 'Its address.', { type: 'reference', ...exact, ...readOnly }),
  attribute('version', 'Its entity tag.', { ...exact, ...readOnly }),
]
const schemasTraits = { type: 'reference', returned: 'always', ...multiValued, ...exact } as const

// RFC 7643, 3.1: every resource has these attributes, but schemas do not list them.
const commonAttributes: readonly Attribute[] = [
  attribute('schemas', 'The schemas that the resource follows.', schemasTraits),
  attribute('id', 'The id from the server.', { returned: 'always', ...exact, ...readOnly }),
  attribute('externalId', "The client's own id for the resource.", exact),
  complex('meta', 'The times, the address and the version of the resource.', metaParts, readOnly),
]

const addressParts = [
  attribute('formatted', 'The full address for display.'),
  attribute('streetAddress', 'Street and number.'),
  attribute('locality', 'The city.'),
  attribute('region', 'The state or region.'),
  attribute('postalCode', 'The postal code.'),
  attribute('country', 'The two-letter code of the country.'),
  attribute('type', 'The kind of the address.', { canonicalValues: ['work', 'home', 'other'] }),
  attribute('primary', 'Whether this is the preferred address.', { type: 'boolean' }),
]
const membershipParts = [
  attribute('value', "The group's id.", { ...exact, ...readOnly }),
  attribute('$ref', "The group's address.", { ...reference('Group'), ...readOnly }),
  attribute('display', "The group's name.", readOnly),
  attribute('type', 'The kind of membership.', { canonicalValues: ['direct'], ...readOnly }),
]

const userSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A person.',
  attributes: [
    attribute('userName', 'The sign-in name. It ignores case.', { required: true, uniqueness: 'server' }),
    complex('name', "The parts of the person's name.", [
      attribute('formatted', 'The full name for display.'),
      attribute('familyName', 'The family name.'),
      attribute('givenName', 'The given name.'),
      attribute('middleName', 'The middle names.'),
      attribute('honorificPrefix', 'The text before the name, such as Dr.'),
      attribute('honorificSuffix', 'The text after the name, such as III.'),
    ]),
    attribute('displayName', 'The name for display.'),
    attribute('nickName', 'The informal name of the person.'),
    attribute('profileUrl', "The address of the person's page.", {
      ...reference('external'),
      caseExact: false,
    }),
    attribute('title', 'The title, such as Vice President.'),
    attribute('userType', 'The relation of the person to the organization, such as Contractor.'),
    attribute('preferredLanguage', 'The preferred language, as in Accept-Language.'),
    attribute('locale', 'The format of dates, numbers and currencies.'),
    attribute('timezone', 'The IANA name of the time zone.'),
    attribute('active', 'Whether the person may sign in.', { type: 'boolean' }),
    attribute('password', 'Accepted and not stored.', { mutability: 'writeOnly', returned: 'never' }),
    list('emails', "The person's email addresses.", ['work', 'home', 'other']),
    list('phoneNumbers', "The person's phone numbers.", ['work', 'home', 'mobile', 'fax', 'pager', 'other']),
    list('ims', "The person's addresses for instant messages.", []),
    list('photos', 'Pictures of the person.', ['photo', 'thumbnail'], reference('external')),
    complex('addresses', 'The postal addresses of the person.', addressParts, multiValued),
    complex('groups', 'The groups of the person. Change them through the group.', membershipParts, {
      ...multiValued,
      ...readOnly,
    }),
    list('entitlements', 'The entitlements of the person.', []),
    list('roles', 'The roles of the person.', []),
    list('x509Certificates', "The person's certificates.", [], { type: 'binary', ...exact }),
  ],
}

const enterpriseSchema: Schema = {
  id: enterpriseExtension,
  name: 'EnterpriseUser',
  description: 'A person who works for an organization.',
  attributes: [
    attribute('employeeNumber', 'The employee number of the person.'),
    attribute('costCenter', 'The cost center.'),
    attribute('organization', 'The organization.'),
    attribute('division', 'The division.'),
    attribute('department', 'The department.'),
    complex('manager', 'The manager of the person.', [
      attribute('value', "The manager's id.", exact),
      attribute('$ref', "The manager's address.", reference('User')),
      attribute('displayName', "The manager's name."),
    ]),
  ],
}

const memberParts = [
  attribute('value', "The person's id.", { ...exact, ...immutable }),
  attribute('$ref', "The person's address.", { ...reference('User'), ...immutable }),
  attribute('type', 'The type of the member.', { canonicalValues: ['User'], ...immutable }),
  attribute('display', "The person's name.", readOnly),
]

const groupSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'A group of people.',
  attributes: [
    attribute('displayName', 'The name of the group.', { required: true }),
    complex('members', 'The members of the group: users only.', memberParts, multiValued),
  ],
}

export const userType: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  schema: userSchema,
  extension: enterpriseSchema,
}
export const groupType: ResourceType = { name: 'Group', endpoint: '/Groups', schema: groupSchema }
export const resourceTypes: readonly ResourceType[] = [userType, groupType]
export const schemas: readonly Schema[] = [userSchema, enterpriseSchema, groupSchema]

/** Returns the top-level attributes of the given resource type, without extensions. */
export function topAttributes(type: ResourceType): readonly Attribute[] {
  return [...commonAttributes, ...type.schema.attributes]
}

/** RFC 7643, 2.1: names are not case-sensitive. */
export function attributeNamed(
  attributes: readonly Attribute[] | undefined,
  name: string,
): Attribute | undefined {
  const wanted = name.toLowerCase()
  return attributes?.find((attribute) => attribute.name.toLowerCase() === wanted)
}
