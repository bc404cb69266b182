import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import { fromRawAttributes, rawAttributes } from '../environment/raw-attributes.ts'
import type { User, UserAttributes, UserPatch } from '../environment/records.ts'
import { badRequest } from './errors.ts'
import { filteredValue } from './filter.ts'
import type { Filter } from './filter-grammar.ts'
import { Resources } from './resources.ts'
import { attributeNamed, userType } from './schemas.ts'
import { readResource } from './values.ts'

export class Users extends Resources<User> {
  readonly type = userType
  readonly answersPatch = true

  protected get all(): readonly User[] {
    return this.contents.users
  }

  protected find(id: string): User | undefined {
    return this.contents.user(id)
  }

  protected override candidates(filter: Filter): readonly User[] | undefined {
    const userName = filteredValue(filter, 'userName')
    if (userName === undefined) return super.candidates(filter)
    return [this.contents.userNamed(userName)].filter((user) => user !== undefined)
  }

  protected fieldsOf(user: User): JsonObject {
    // This is a copy, because a PATCH must not change the records of the environment.
    const raw: JsonObject = structuredClone(rawAttributes(user))
    const groups = this.environment.groupsOf(user).map(({ id, displayName }) => ({
      value: id,
      $ref: `${this.baseUrl}/Groups/${id}`,
      display: displayName,
      type: 'direct',
    }))
    const extensions = Object.keys(raw).filter((name) => /^urn:/i.test(name))
    return {
      ...raw,
      schemas: [userType.schema.id, ...extensions],
      id: user.id,
      ...(groups.length > 0 ? { groups } : {}),
    }
  }

  create(body: unknown): User {
    return this.environment.createUser(this.directoryId, parsedUser(readResource(userType, body)))
  }

  remove(id: string): void {
    this.environment.deleteUser(this.get(id).id)
  }

  /** Absent attributes are cleared (RFC 7644, 3.5.1), except `active`, because its absence must not restore access. */
  protected change(user: User, resource: JsonObject): User {
    const { attributes, extra, externalId = null, ...fields } = parsedUser(resource)
    const cleared: NonNullable<UserPatch['attributes']> = Object.fromEntries(
      Object.keys(user.attributes).map((name) => [name, null]),
    )
    return this.environment.updateUser(user.id, {
      ...fields,
      externalId,
      attributes: { ...cleared, ...attributes },
      ...omitUndefined({ extra: extra ?? (user.extra && {}) }),
    })
  }
}

/** The lists whose entries have a value (RFC 7643, 2.4). An entry without a value is dropped. */
const valueLists = userType.schema.attributes.filter(
  ({ multiValued, subAttributes }) => multiValued && attributeNamed(subAttributes, 'value'),
)

function withoutEmptyEntries(resource: JsonObject): JsonObject {
  const cleaned = { ...resource }
  for (const { name } of valueLists) {
    const entries = cleaned[name]
    if (!Array.isArray(entries)) continue
    const present = entries.filter((entry) => isJsonObject(entry) && entry.value !== undefined)
    if (present.length > 0) cleaned[name] = present
    else delete cleaned[name]
  }
  return cleaned
}

function parsedUser(resource: JsonObject) {
  const { attributes, ...others } = fromRawAttributes(withoutEmptyEntries(resource))
  const { userName } = attributes
  if (userName === undefined) throw badRequest('invalidValue', 'userName is required')
  const complete: UserAttributes = { ...attributes, userName }
  return { ...others, attributes: complete }
}
