import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import type { Group } from '../environment/records.ts'
import { badRequest } from './errors.ts'
import { Resources } from './resources.ts'
import { groupType } from './schemas.ts'
import { readResource } from './values.ts'

interface ParsedGroup {
  displayName: string
  externalId?: string
  memberIds: ReadonlySet<string>
}

export class Groups extends Resources<Group> {
  readonly type = groupType
  readonly answersPatch = false

  protected get all(): readonly Group[] {
    return this.contents.groups
  }

  protected find(id: string): Group | undefined {
    return this.contents.group(id)
  }

  protected fieldsOf(group: Group): JsonObject {
    const { id, externalId, displayName } = group
    const members = this.contents.membersOf(id).map((user) => ({
      value: user.id,
      $ref: `${this.baseUrl}/Users/${user.id}`,
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
    const group = this.environment.createGroup(this.directoryId, fields)
    for (const id of memberIds) this.environment.addMember(group.id, id)
    return group
  }

  remove(id: string): void {
    this.environment.deleteGroup(this.get(id).id)
  }

  protected change({ id }: Group, resource: JsonObject): Group {
    const { memberIds, externalId = null, ...fields } = this.#parsed(resource)
    const group = this.environment.updateGroup(id, { externalId, ...fields })
    for (const { id: userId } of this.contents.membersOf(id)) {
      if (!memberIds.has(userId)) this.environment.removeMember(id, userId)
    }
    for (const userId of memberIds) this.environment.addMember(id, userId)
    return group
  }

  /**
   * Checks the whole request before the first change, so that a request has its full effect or no effect (RFC 7644,
   * 3.5.2).
   */
  #parsed({ displayName, externalId, members }: JsonObject): ParsedGroup {
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
