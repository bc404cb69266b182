import type { Accounts } from './accounts.ts'
import type { Environment, Member } from './environment.ts'
import type { PassNotes } from './pass-notes.ts'

/**
 * Why a sync must not delete a record, regardless of limits and approvals.
 * @param isExcused whether the directory of a member could not be read
 */
export function wrongDeletion(
  { environment, accounts }: { environment: Environment; accounts: Accounts },
  { id, organizationId }: { id: string; organizationId: string },
  pass: PassNotes,
  isExcused: (member: Member) => boolean,
): string | undefined {
  const member = environment.members.get(id)
  if (!member || accounts.rows.get(id)?.own) return `${id} never came from a directory`
  const { directory, sinceMs } = member
  if (directory.organizationId !== organizationId) {
    return `${id} belongs to ${directory.organizationId}, not to ${organizationId}`
  }
  if ((accounts.rows.get(id)?.toldMs ?? 0) > (pass.yielded.get(id)?.atMs ?? 0)) {
    return `${id} is deleted after a webhook said, during the pass, that they are there`
  }
  if (sinceMs >= pass.startedMs || !environment.shows(member) || isExcused(member)) return undefined
  return `${id} is in ${directory.id}, and has been there since before the pass`
}
