import type { Environment } from '../environment/environment.ts'
import { EnvironmentError } from '../environment/errors.ts'
import { formatMicros } from '../environment/events.ts'
import type { Group } from '../environment/records.ts'
import type { Roster } from '../environment/roster.ts'
import type { Session } from './authentication.ts'
import { badRequest } from './errors.ts'
import { withExternalIdKept } from './external-id.ts'
import { wantedValue } from './filter.ts'
import type { Filter } from './filter-grammar.ts'
import { patchResource } from './patch.ts'
import type { Resources } from './resources.ts'
import { groupType } from './schemas.ts'
import { type Fields, isFields, readResource } from './values.ts'

interface DescribedGroup {
  displayName: string
  externalId?: string
  memberIds: ReadonlySet<string>
}

export class Groups implements Resources<Group> {
  readonly type = groupType
  readonly answersPatch = false
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

  get all(): readonly Group[] {
    return this.#roster.groups
  }

  candidates(filter: Filter): readonly Group[] | undefined {
    const id = wantedValue(filter, 'id')
    if (id === undefined) return undefined
    const group = this.#roster.group(id)
    return group ? [group] : []
  }

  get(id: string): Group {
    const group = this.#roster.group(id)
    if (!group) throw new EnvironmentError('not-found', 'group not found')
    return group
  }

  represent({ id, externalId, displayName, createdAtMicros, updatedAtMicros }: Group): Fields {
    const members = this.#roster.membersOf(id).map((user) => ({
      value: user.id,
      $ref: `${this.#baseUrl}/Users/${user.id}`,
      display: user.attributes.displayName ?? user.attributes.userName,
      type: 'User',
    }))
    return {
      schemas: [groupType.schema.id],
      id,
      ...(externalId === undefined ? {} : { externalId }),
      displayName,
      ...(members.length > 0 ? { members } : {}),
      meta: {
        resourceType: groupType.name,
        created: formatMicros(createdAtMicros),
        lastModified: formatMicros(updatedAtMicros),
        location: `${this.#baseUrl}/Groups/${id}`,
      },
    }
  }

  create(body: unknown): Group {
    const { memberIds, ...fields } = this.#described(readResource(groupType, body))
    const group = this.#environment.createGroup(this.#directoryId, fields)
    for (const id of memberIds) this.#environment.addMember(group.id, id)
    return group
  }

  replace(id: string, body: unknown): Group {
    const group = this.get(id)
    return this.#become(group, withExternalIdKept(readResource(groupType, body), body, group))
  }

  patch(id: string, body: unknown): Group {
    const group = this.get(id)
    const resource = patchResource(groupType, this.represent(group), body)
    return this.#become(group, readResource(groupType, resource))
  }

  remove(id: string): void {
    this.#environment.deleteGroup(this.get(id).id)
  }

  #become({ id }: Group, resource: Fields): Group {
    const { memberIds, externalId = null, ...fields } = this.#described(resource)
    const group = this.#environment.updateGroup(id, { externalId, ...fields })
    for (const { id: userId } of this.#roster.membersOf(id)) {
      if (!memberIds.has(userId)) this.#environment.removeMember(id, userId)
    }
    for (const userId of memberIds) this.#environment.addMember(id, userId)
    return group
  }

  /** Judges all of it before anything is done: a request has all of its effect or none (RFC 7644, 3.5.2). */
  #described({ displayName, externalId, members }: Fields): DescribedGroup {
    if (typeof displayName !== 'string') throw badRequest('invalidValue', 'displayName is required')
    return {
      displayName,
      ...(typeof externalId === 'string' ? { externalId } : {}),
      memberIds: new Set(Array.isArray(members) ? members.map((member) => this.#memberId(member)) : []),
    }
  }

  #memberId(member: unknown): string {
    const id = isFields(member) ? member.value : undefined
    if (typeof id === 'string' && this.#roster.user(id)) return id
    throw badRequest('invalidValue', 'each member must be a user of this directory, by its id')
  }
}
