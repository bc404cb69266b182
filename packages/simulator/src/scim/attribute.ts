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

export function attribute(name: string, description: string, traits: Traits = {}): Attribute {
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

export function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  traits: Traits = {},
): Attribute {
  return attribute(name, description, { type: 'complex', subAttributes, ...traits })
}

/** A list of values with the sub-attributes of RFC 7643, 2.4. */
export function list(name: string, description: string, types: readonly string[], value: Traits = {}) {
  const subAttributes = [
    attribute('value', 'The value itself.', value),
    attribute('display', 'The value as text for display.'),
    attribute('type', 'The kind of the value.', types.length > 0 ? { canonicalValues: types } : {}),
    attribute('primary', 'Whether this is the preferred value. At most one value is.', { type: 'boolean' }),
  ]
  return complex(name, description, subAttributes, { multiValued: true })
}

/** RFC 7643, 2.1: names are not case-sensitive. */
export function attributeNamed(
  attributes: readonly Attribute[] | undefined,
  name: string,
): Attribute | undefined {
  const wanted = name.toLowerCase()
  return attributes?.find((attribute) => attribute.name.toLowerCase() === wanted)
}
