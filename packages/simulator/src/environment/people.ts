import { isDeepStrictEqual } from 'node:util'
import type { Chronicle } from './chronicle.ts'
import { EnvironmentError, nonEmpty } from './errors.ts'
import { userDeletedEvent, userEvent } from './events.ts'
import { externalIdAfter } from './external-id.ts'
import type { Holdings } from './holdings.ts'
import { withMainValues } from './raw-attributes.ts'
import type { User, UserAttributes } from './records.ts'
import type { NewUser, UserPatch } from './requests.ts'

/** Changes to people, and to who is in which group. */
export class People {
  readonly #holdings: Holdings
  readonly #chronicle: Chronicle

  constructor(holdings: Holdings, chronicle: Chronicle) {
    this.#holdings = holdings
    this.#chronicle = chronicle
  }

  create(directoryId: string, { id, externalId, active = true, attributes, extra, groupIds }: NewUser): User {
    const { organizationId } = this.#holdings.openDirectory(directoryId)
    const atMicros = this.#chronicle.stamp()
    const user = withMainValues({
      id: this.#chronicle.idFor('diruser', id),
      organizationId,
      directoryId,
      ...(externalId === undefined ? {} : { externalId }),
      active,
      attributes: { ...attributes },
      ...(extra === undefined ? {} : { extra }),
      groupIds: this.#membershipsIn(directoryId, groupIds ?? []),
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    })
    this.#put('created', user)
    return user
  }

  update(id: string, { externalId, attributes, groupIds, ...fields }: UserPatch): User {
    const before = this.#holdings.user(id)
    this.#holdings.openDirectory(before.directoryId)
    const { externalId: _, ...others } = before
    const after = withMainValues({
      ...others,
      ...externalIdAfter(before, externalId),
      ...fields,
      attributes: patched(before.attributes, attributes ?? {}),
      groupIds: groupIds ? this.#membershipsIn(before.directoryId, groupIds) : before.groupIds,
    })
    return isDeepStrictEqual(before, after) ? before : this.#change(after)
  }

  delete(id: string): void {
    const user = this.#holdings.user(id)
    this.#holdings.openDirectory(user.directoryId)
    this.#holdings.removeUser(user)
    this.#chronicle.tell(this.#chronicle.stamp(), (envelope) => userDeletedEvent(user, envelope))
  }

  join(groupId: string, userId: string): User {
    const user = this.#holdings.user(userId)
    if (user.groupIds.includes(groupId)) return user
    return this.update(userId, { groupIds: [...user.groupIds, groupId] })
  }

  leave(groupId: string, userId: string): User {
    const { groupIds } = this.#holdings.user(userId)
    return this.update(userId, { groupIds: groupIds.filter((id) => id !== groupId) })
  }

  /** The group is being deleted: everybody leaves it. */
  disband(groupId: string, members: readonly User[]): void {
    for (const member of members) {
      this.#change({ ...member, groupIds: member.groupIds.filter((id) => id !== groupId) })
    }
  }

  #change(after: User): User {
    const user = { ...after, updatedAtMicros: this.#chronicle.stamp() }
    this.#put('updated', user)
    return user
  }

  #put(change: 'created' | 'updated', user: User): void {
    nonEmpty('userName', user.attributes.userName)
    this.#holdings.putUser(user)
    const groups = this.#holdings.groupsOf(user)
    this.#chronicle.tell(user.updatedAtMicros, (envelope) => userEvent(change, user, groups, envelope))
  }

  #membershipsIn(directoryId: string, groupIds: readonly string[]): string[] {
    const roster = this.#holdings.roster(directoryId)
    const distinct = [...new Set(groupIds)]
    for (const id of distinct) {
      if (!roster.group(id)) throw new EnvironmentError('not-found', 'group not found')
    }
    return distinct
  }
}

function patched(
  before: Readonly<UserAttributes>,
  patch: NonNullable<UserPatch['attributes']>,
): UserAttributes {
  const { userName = before.userName, ...others } = patch
  const entries = Object.entries({ ...before, ...others }).filter(([, value]) => value != null)
  return { ...Object.fromEntries(entries), userName: userName ?? before.userName }
}
