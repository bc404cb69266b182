import { enterpriseExtension } from '../environment/raw-attributes.ts'
import { type Attribute, attribute, complex, list } from './attribute.ts'

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

/** A kind of resource: its own schema, and the one that extends it. */
export interface ResourceType {
  readonly name: 'User' | 'Group'
  readonly endpoint: '/Users' | '/Groups'
  readonly schema: Schema
  readonly extension?: Schema
}

const exact = { caseExact: true } as const
const readOnly = { mutability: 'readOnly' } as const

// RFC 7643, 3.1: every resource has these. A schema does not list them.
export const commonAttributes: readonly Attribute[] = [
  attribute('schemas', 'The schemas that the resource follows.', {
    type: 'reference',
    multiValued: true,
    returned: 'always',
    ...exact,
  }),
  attribute('id', 'Our id of the resource.', { returned: 'always', ...exact, ...readOnly }),
  attribute('externalId', "The client's own id of the resource.", exact),
  complex(
    'meta',
    'When and where the resource is.',
    [
      attribute('resourceType', 'The kind of resource.', { ...exact, ...readOnly }),
      attribute('created', 'When it came.', { type: 'dateTime', ...readOnly }),
      attribute('lastModified', 'When it changed last.', { type: 'dateTime', ...readOnly }),
      attribute('location', 'Its address.', { type: 'reference', ...exact, ...readOnly }),
      attribute('version', 'Its entity tag.', { ...exact, ...readOnly }),
    ],
    readOnly,
  ),
]

const userSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A person.',
  attributes: [
    attribute('userName', 'What the person signs in as: theirs alone, whatever its case.', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', "The parts of the person's name.", [
      attribute('formatted', 'The whole name, to be shown.'),
      attribute('familyName', 'The family name.'),
      attribute('givenName', 'The given name.'),
      attribute('middleName', 'The middle names.'),
      attribute('honorificPrefix', 'What stands before the name, such as Dr.'),
      attribute('honorificSuffix', 'What stands after the name, such as III.'),
    ]),
    attribute('displayName', 'The name to be shown.'),
    attribute('nickName', 'What people call them.'),
    attribute('profileUrl', "The address of the person's page.", {
      type: 'reference',
      referenceTypes: ['external'],
    }),
    attribute('title', 'The title, such as Vice President.'),
    attribute('userType', 'How the person and the organization belong together, such as Contractor.'),
    attribute('preferredLanguage', 'The language that the person reads best, as in Accept-Language.'),
    attribute('locale', 'How dates, numbers and money are to be written for them.'),
    attribute('timezone', 'The time zone, by its IANA name.'),
    attribute('active', 'Whether the person may sign in.', { type: 'boolean' }),
    attribute('password', 'Accepted, and thrown away.', { mutability: 'writeOnly', returned: 'never' }),
    list('emails', "The person's email addresses.", ['work', 'home', 'other']),
    list('phoneNumbers', "The person's phone numbers.", ['work', 'home', 'mobile', 'fax', 'pager', 'other']),
    list('ims', "The person's addresses for instant messages.", []),
    list('photos', 'Pictures of the person.', ['photo', 'thumbnail'], {
      type: 'reference',
      referenceTypes: ['external'],
      ...exact,
    }),
    complex(
      'addresses',
      'Where the person can be found.',
      [
        attribute('formatted', 'The whole address, to be shown.'),
        attribute('streetAddress', 'Street and number.'),
        attribute('locality', 'The city.'),
        attribute('region', 'The state or region.'),
        attribute('postalCode', 'The postal code.'),
        attribute('country', 'The country, by its code of two letters.'),
        attribute('type', 'What the address is for.', { canonicalValues: ['work', 'home', 'other'] }),
        attribute('primary', 'Whether this is the preferred address.', { type: 'boolean' }),
      ],
      { multiValued: true },
    ),
    complex(
      'groups',
      'The groups that the person is in: changed through the group.',
      [
        attribute('value', "The group's id.", { ...exact, ...readOnly }),
        attribute('$ref', "The group's address.", {
          type: 'reference',
          referenceTypes: ['Group'],
          ...exact,
          ...readOnly,
        }),
        attribute('display', "The group's name.", readOnly),
        attribute('type', 'How the person is in it.', { canonicalValues: ['direct'], ...readOnly }),
      ],
      { multiValued: true, ...readOnly },
    ),
    list('entitlements', 'What the person has a right to.', []),
    list('roles', 'What the person is in the organization.', []),
    list('x509Certificates', "The person's certificates.", [], { type: 'binary', ...exact }),
  ],
}

const enterpriseSchema: Schema = {
  id: enterpriseExtension,
  name: 'EnterpriseUser',
  description: 'A person who works for an organization.',
  attributes: [
    attribute('employeeNumber', 'The number that the organization gave them.'),
    attribute('costCenter', 'The cost center.'),
    attribute('organization', 'The organization.'),
    attribute('division', 'The division.'),
    attribute('department', 'The department.'),
    complex('manager', 'Whom the person reports to.', [
      attribute('value', "The manager's id.", exact),
      attribute('$ref', "The manager's address.", {
        type: 'reference',
        referenceTypes: ['User'],
        ...exact,
      }),
      attribute('displayName', "The manager's name."),
    ]),
  ],
}

const groupSchema: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'Some of the people.',
  attributes: [
    attribute('displayName', 'The name of the group.', { required: true }),
    complex(
      'members',
      'Who is in the group: people, no groups.',
      [
        attribute('value', "The person's id.", { ...exact, mutability: 'immutable' }),
        attribute('$ref', "The person's address.", {
          type: 'reference',
          referenceTypes: ['User'],
          ...exact,
          mutability: 'immutable',
        }),
        attribute('type', 'What the member is.', { canonicalValues: ['User'], mutability: 'immutable' }),
        attribute('display', "The person's name.", readOnly),
      ],
      { multiValued: true },
    ),
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

/** What a resource of that type may have at its top, but for extensions. */
export function topAttributes(type: ResourceType): readonly Attribute[] {
  return [...commonAttributes, ...type.schema.attributes]
}
