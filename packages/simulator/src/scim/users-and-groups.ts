import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import { fromRawAttributes, rawAttributes } from '../environment/raw-attributes.ts'
import type { Group, User, UserPatch } from '../environment/records.ts'
import { badRequest } from './messages.ts'
import { Resources } from './resources.ts'
import { attributeNamed, groupType, userType } from './schemas.ts'
import { readResource } from './values.ts'

export class Users extends Resources<User> {
  readonly type = userType
  readonly answersPatch = true
  protected readonly indexes = {
    id: (id: string) => this.contents.user(id),
    userName: (userName: string) => this.contents.userNamed(userName),
  }

  protected get all(): readonly User[] {
    return this.contents.users
  }

  protected fieldsOf(user: User): JsonObject {
    // Copies the attributes, so that a PATCH does not change the records of the environment.
    const raw: JsonObject = structuredClone(rawAttributes(user))
    const groups = this.scope.environment.groupsOf(user).map(({ id, displayName }) => ({
      value: id,
      $ref: `${this.scope.baseUrl}/Groups/${id}`,
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
    return this.scope.environment.createUser(this.scope.directoryId, parsedUser(readResource(userType, body)))
  }

  remove(id: string): void {
    this.scope.environment.deleteUser(this.get(id).id)
  }

  /**
   * Clears absent attributes (RFC 7644, 3.5.1), except `active`, because a request without `active` must not restore
   * access.
   */
  protected change(user: User, resource: JsonObject): User {
    const { attributes, extra, externalId = null, ...fields } = parsedUser(resource)
    const cleared: NonNullable<UserPatch['attributes']> = Object.fromEntries(
      Object.keys(user.attributes).map((name) => [name, null]),
    )
    return this.scope.environment.updateUser(user.id, {
      ...fields,
      externalId,
      attributes: { ...cleared, ...attributes },
      ...omitUndefined({ extra: extra ?? (user.extra && {}) }),
    })
  }
}

/** The lists whose entries must have a value (RFC 7643, 2.4). The server ignores entries without a value. */
const valueLists = userType.schema.attributes.filter(
  ({ multiValued, subAttributes }) => multiValued && attributeNamed(subAttributes, 'value'),
)

function withoutEmptyEntries(resource: JsonObject): JsonObject {
  const cleaned = { ...resource }
  for (const { name } of valueLists) {
    const entries = cleaned[name]
    if (!Array.isArray(entries)) continue
    const present = entries.filter((entry) => isJsonObject(entry) && entry.value !== undefined)
    cleaned[name] = present.length > 0 ? present : undefined
  }
  return cleaned
}

function parsedUser(resource: JsonObject) {
  const { attributes, ...others } = fromRawAttributes(withoutEmptyEntries(resource))
  const { userName } = attributes
  if (userName === undefined) throw badRequest('invalidValue', 'userName is required')
  return { ...others, attributes: { ...attributes, userName } }
}

export class Groups extends Resources<Group> {
  readonly type = groupType
  readonly answersPatch = false
  protected readonly indexes = { id: (id: string) => this.contents.group(id) }

  protected get all(): readonly Group[] {
    return this.contents.groups
  }

  protected fieldsOf(group: Group): JsonObject {
    const { id, externalId, displayName } = group
    const members = this.contents.membersOf(id).map((user) => ({
      value: user.id,
      $ref: `${this.scope.baseUrl}/Users/${user.id}`,
      display: user.attributes.displayName ?? user.attributes.userName,
      type: 'User',
    }))
    return {
      schemas: [groupType.schema.id],
      id,
      ...omitUndefined({ externalId }),
      displayName,
      ...(members.length > 0 ? { members } : {}),
    }
  }

  create(body: unknown): Group {
    const { memberIds, ...fields } = this.#parsed(readResource(groupType, body))
    const group = this.scope.environment.createGroup(this.scope.directoryId, fields)
    for (const id of memberIds) this.scope.environment.addMember(group.id, id)
    return group
  }

  remove(id: string): void {
    this.scope.environment.deleteGroup(this.get(id).id)
  }

  protected change({ id }: Group, resource: JsonObject): Group {
    const { memberIds, externalId = null, ...fields } = this.#parsed(resource)
    const group = this.scope.environment.updateGroup(id, { externalId, ...fields })
    for (const { id: userId } of this.contents.membersOf(id)) {
      if (!memberIds.has(userId)) this.scope.environment.removeMember(id, userId)
    }
    for (const userId of memberIds) this.scope.environment.addMember(id, userId)
    return group
  }

  /**
   * Checks the whole request before the first change. So a request makes all of its changes or none (RFC 7644, 3.5.2).
   */
  #parsed({ displayName, externalId, members }: JsonObject) {
    if (typeof displayName !== 'string') throw badRequest('invalidValue', 'displayName is required')
    return {
      displayName,
      ...(typeof externalId === 'string' ? { externalId } : {}),
      memberIds: new Set(Array.isArray(members) ? members.map((member) => this.#memberId(member)) : []),
    }
  }

  #memberId(member: unknown): string {
    const id = isJsonObject(member) ? member.value : undefined
    if (typeof id === 'string' && this.contents.user(id)) return id
    throw badRequest('invalidValue', 'each member must be the id of a user of this directory')
  }
}
