import type { Environment, UserPatch } from '../environment/environment.ts'
import { EnvironmentError } from '../environment/errors.ts'
import { formatMicros } from '../environment/events.ts'
import { fromRawAttributes, rawAttributes } from '../environment/raw-attributes.ts'
import type { User, UserAttributes } from '../environment/records.ts'
import type { Roster } from '../environment/roster.ts'
import { attributeNamed } from './attribute.ts'
import type { Session } from './authentication.ts'
import { badRequest } from './errors.ts'
import { withExternalIdKept } from './external-id.ts'
import { wantedValue } from './filter.ts'
import type { Filter } from './filter-grammar.ts'
import { patchResource } from './patch.ts'
import type { Resources } from './resources.ts'
import { userType } from './schemas.ts'
import { type Fields, isFields, readResource } from './values.ts'

export class Users implements Resources<User> {
  readonly type = userType
  readonly answersPatch = true
  readonly #environment: Environment
  readonly #directoryId: string
  readonly #roster: Roster
  readonly #baseUrl: string

  constructor(environment: Environment, { directory, baseUrl }: Session) {
    this.#environment = environment
    this.#directoryId = directory.id
    this.#roster = environment.roster(directory.id)
    this.#baseUrl = baseUrl
  }

  get all(): readonly User[] {
    return this.#roster.users
  }

  candidates(filter: Filter): readonly User[] | undefined {
    const userName = wantedValue(filter, 'userName')
    const id = wantedValue(filter, 'id')
    if (userName === undefined && id === undefined) return undefined
    const user = userName === undefined ? this.#roster.user(id ?? '') : this.#roster.userNamed(userName)
    return user ? [user] : []
  }

  get(id: string): User {
    const user = this.#roster.user(id)
    if (!user) throw new EnvironmentError('not-found', 'user not found')
    return user
  }

  represent(user: User): Fields {
    // A copy: what a PATCH changes must not be what the environment holds.
    const raw: Fields = structuredClone(rawAttributes(user))
    const groups = this.#environment.groupsOf(user).map(({ id, displayName }) => ({
      value: id,
      $ref: `${this.#baseUrl}/Groups/${id}`,
      display: displayName,
      type: 'direct',
    }))
    const extensions = Object.keys(raw).filter((name) => /^urn:/i.test(name))
    return {
      ...raw,
      schemas: [userType.schema.id, ...extensions],
      id: user.id,
      ...(groups.length > 0 ? { groups } : {}),
      meta: {
        resourceType: userType.name,
        created: formatMicros(user.createdAtMicros),
        lastModified: formatMicros(user.updatedAtMicros),
        location: `${this.#baseUrl}/Users/${user.id}`,
      },
    }
  }

  create(body: unknown): User {
    return this.#environment.createUser(this.#directoryId, described(readResource(userType, body)))
  }

  replace(id: string, body: unknown): User {
    const user = this.get(id)
    return this.#become(user, withExternalIdKept(readResource(userType, body), body, user))
  }

  patch(id: string, body: unknown): User {
    const user = this.get(id)
    const resource = patchResource(userType, this.represent(user), body)
    return this.#become(user, readResource(userType, resource))
  }

  remove(id: string): void {
    this.#environment.deleteUser(this.get(id).id)
  }

  /** What is not there goes (RFC 7644, 3.5.1), except `active`: nobody comes back by its absence. */
  #become(user: User, resource: Fields): User {
    const { attributes, extra, externalId = null, ...fields } = described(resource)
    const cleared: NonNullable<UserPatch['attributes']> = Object.fromEntries(
      Object.keys(user.attributes).map((name) => [name, null]),
    )
    const extraAfter = extra ?? (user.extra === undefined ? undefined : {})
    return this.#environment.updateUser(user.id, {
      ...fields,
      externalId,
      attributes: { ...cleared, ...attributes },
      ...(extraAfter === undefined ? {} : { extra: extraAfter }),
    })
  }
}

/** The lists whose entries have a value (RFC 7643, 2.4). An entry without one is not kept. */
const valueLists = userType.schema.attributes.filter(
  ({ multiValued, subAttributes }) => multiValued && attributeNamed(subAttributes, 'value'),
)

function withoutEmptyEntries(resource: Fields): Fields {
  const cleaned = { ...resource }
  for (const { name } of valueLists) {
    const entries = cleaned[name]
    if (!Array.isArray(entries)) continue
    const present = entries.filter((entry) => isFields(entry) && entry.value !== undefined)
    if (present.length > 0) cleaned[name] = present
    else delete cleaned[name]
  }
  return cleaned
}

function described(resource: Fields) {
  const { attributes, ...others } = fromRawAttributes(withoutEmptyEntries(resource))
  const { userName } = attributes
  if (userName === undefined) throw badRequest('invalidValue', 'userName is required')
  const complete: UserAttributes = { ...attributes, userName }
  return { ...others, attributes: complete }
}
