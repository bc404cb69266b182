import type { Row } from './accounts.ts'
import type { Chance } from './chance.ts'
import type { CustomerDirectory, Member } from './environment.ts'
import type { HistorySettings } from './settings.ts'
import type { Stage } from './stage.ts'

const dayMs = 86_400_000

/** The users of the directories and of the application at the beginning of a history. */
export function populate(
  { environment, accounts, time }: Stage,
  settings: HistorySettings,
  chance: Chance,
): void {
  const add = (row: Row) => accounts.rows.set(row.id, row)
  for (let organization = 1; organization <= settings.organizations; organization++) {
    const organizationId = `org_${organization}`
    for (let count = 0; count < settings.directories; count++) {
      const directory = environment.connect(organizationId)
      const sinceMs = time.nowMs - 30 * dayMs
      for (const member of membersFor(directory)) {
        if (chance.happens(0.95)) add(rowOf(member, sinceMs + 10 * dayMs))
      }
    }
    for (let own = chance.below(5); own > 0; own--) add(ownRow(organizationId, own))
  }
  environment.publish()

  function membersFor(directory: CustomerDirectory): Member[] {
    const sinceMs = time.nowMs - 30 * dayMs
    const join = (kind: 'user' | 'group') => environment.join(directory, kind, sinceMs)
    const members = Array.from({ length: settings.people }, () => join('user'))
    if (settings.hasGroups) members.push(...Array.from({ length: 6 }, () => join('group')))
    // Some users left before the first pass.
    for (const member of chance.sample(members, chance.below(3))) member.present = false
    return members
  }

  function rowOf({ id, kind, directory }: Member, ms: number): Row {
    const knowsDirectory = settings.rowsKnowDirectory && chance.happens(0.9)
    return {
      id,
      kind,
      organizationId: directory.organizationId,
      directoryId: knowsDirectory ? directory.id : null,
      occurredAt: chance.happens(0.95) ? instantOf(ms) : null,
      deleted: false,
      own: false,
    }
  }

  function ownRow(organizationId: string, number: number): Row {
    const name = `${organizationId}_${number}`
    const id = chance.pick([
      `usr_${name}`,
      `0b1f1c1e-7f6c-4c55-9a51-00000000000${number}${organizationId.at(-1)}`,
      `first_last.${name}@example.com`,
      `ann.${number}@${organizationId.replace('_', '-')}.example`,
    ])
    const occurredAt = chance.happens(0.5) ? instantOf(time.nowMs - 5 * dayMs) : null
    return { id, kind: 'user', organizationId, directoryId: null, occurredAt, deleted: false, own: true }
  }
}

/** Returns the time in the form of `ctx.occurredAt`. */
function instantOf(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000000Z')
}
