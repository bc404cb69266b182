import type { Row } from '../../support/deletion-histories/accounts.ts'
import type { Member } from '../../support/deletion-histories/environment.ts'

/** The state of a member that a row must have. */
export interface ExpectedState extends Pick<Member, 'id' | 'kind' | 'active' | 'present'> {
  title?: string | undefined
  /** Without it, the groups are not compared. */
  groupIds: ReadonlySet<string> | undefined
}

/** Returns the difference between a row and the state of its member, or `undefined` without a difference. */
export function differenceBetween(expected: ExpectedState, row: Row | undefined): string | undefined {
  const isLive = row !== undefined && !row.deleted
  if (!expected.present) return isLive ? 'has a row, and has left' : undefined
  if (!isLive) return row ? 'is there, and the row is deleted' : 'is there, and has no row'
  if (expected.kind === 'group') return undefined
  const { active, title, groupIds = [] } = row.state ?? {}
  if (active !== expected.active) return `has active = ${active} instead of ${expected.active}`
  if (title !== expected.title) return `has the title '${title}' instead of '${expected.title}'`
  if (!expected.groupIds || isSame(groupIds, expected.groupIds)) return undefined
  return `has the groups ${groupIds.join(' ')} instead of ${[...expected.groupIds].join(' ')}`
}

function isSame(ids: readonly string[], expected: ReadonlySet<string>): boolean {
  const different = new Set(ids)
  return different.size === expected.size && [...different].every((id) => expected.has(id))
}
