import { isDeepStrictEqual } from 'node:util'
import type { Chronicle } from './chronicle.ts'
import { nonEmpty } from './errors.ts'
import { groupEvent } from './events.ts'
import { externalIdAfter } from './external-id.ts'
import type { Holdings } from './holdings.ts'
import type { People } from './people.ts'
import type { Group } from './records.ts'
import type { GroupPatch, NewGroup } from './requests.ts'

/** Changes to groups. Who is in one is told by its members' events alone, so that is for `People`. */
export class Groups {
  readonly #holdings: Holdings
  readonly #chronicle: Chronicle
  readonly #people: People

  constructor(holdings: Holdings, chronicle: Chronicle, people: People) {
    this.#holdings = holdings
    this.#chronicle = chronicle
    this.#people = people
  }

  create(directoryId: string, { id, externalId, displayName }: NewGroup): Group {
    const { organizationId } = this.#holdings.openDirectory(directoryId)
    const atMicros = this.#chronicle.stamp()
    const group: Group = {
      id: this.#chronicle.idFor('dirgroup', id),
      organizationId,
      directoryId,
      ...(externalId === undefined ? {} : { externalId }),
      displayName: nonEmpty('displayName', displayName),
      createdAtMicros: atMicros,
      updatedAtMicros: atMicros,
    }
    this.#holdings.putGroup(group)
    this.#tell('created', group, atMicros)
    return group
  }

  update(id: string, { externalId, ...fields }: GroupPatch): Group {
    const before = this.#holdings.group(id)
    this.#holdings.openDirectory(before.directoryId)
    const { externalId: _, ...others } = before
    const after: Group = { ...others, ...externalIdAfter(before, externalId), ...fields }
    nonEmpty('displayName', after.displayName)
    if (isDeepStrictEqual(before, after)) return before
    const group = { ...after, updatedAtMicros: this.#chronicle.stamp() }
    this.#holdings.putGroup(group)
    this.#tell('updated', group, group.updatedAtMicros)
    return group
  }

  delete(id: string): void {
    const group = this.#holdings.group(id)
    this.#holdings.openDirectory(group.directoryId)
    const members = this.#holdings.roster(group.directoryId).membersOf(id)
    this.#tell('deleted', group, this.#chronicle.stamp())
    this.#people.disband(id, members)
    this.#holdings.removeGroup(group)
  }

  #tell(change: 'created' | 'updated' | 'deleted', group: Group, atMicros: number): void {
    this.#chronicle.tell(atMicros, (envelope) => groupEvent(change, group, envelope))
  }
}
