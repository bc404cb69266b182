import { type Fields, isFields } from './values.ts'

/** A PUT clears what it does not name (RFC 7644, 3.5.1), except `externalId`: that goes only if the PUT has it as null. */
export function withExternalIdKept(
  resource: Fields,
  body: unknown,
  { externalId }: { readonly externalId?: string },
): Fields {
  const isNamed = isFields(body) && Object.keys(body).some((name) => name.toLowerCase() === 'externalid')
  return isNamed || externalId === undefined ? resource : { ...resource, externalId }
}
