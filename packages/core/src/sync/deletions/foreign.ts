import { setImmediate as othersHaveRun } from 'node:timers/promises'
import { type KnownRecords, readAtOnce } from '../known.ts'
import { prefixOf } from '../prefixes.ts'
import { SyncError } from '../sync-error.ts'
import type { SharedIds } from './neighbours.ts'

// Records of `known` that do not come from the directory: people who signed up by email, or another customer's. No
// directory lists them, so they would look like people who have left.

/** The forms of Scalekit's ids, by its API reference. */
const documentedPrefix = { user: 'diruser_', group: 'dirgroup_' } as const
const namedAtMost = 3
/** `usr_17`: a prefix, and a name with a digit. Any other id may be personal data: an email, a name, a phone number. */
const harmlessId = /^[a-z]{1,16}_(?=\w*\d)\w{1,64}$/i

/**
 * The known records that cannot be this directory's: by their id, or because another organization has them too.
 * @param listed what the ids begin with that a walk has listed
 */
export async function foreignIndexes(
  kind: 'user' | 'group',
  known: KnownRecords,
  listed: Iterable<string>,
  shared: SharedIds,
): Promise<Set<number>> {
  const own = new Set([documentedPrefix[kind], ...listed])
  const foreign = new Set<number>()
  if (shared.size === 0 && [...known.prefixes].every((prefix) => own.has(prefix))) return foreign
  for (let index = 0; index < known.size; index++) {
    if (index % readAtOnce === 0) await othersHaveRun()
    const id = known.idAt(index)
    if (!own.has(prefixOf(id)) || shared.has(id)) foreign.add(index)
  }
  return foreign
}

/** @param ids none if an earlier pass has found some, and this one could not look for them */
export function foreignError(plural: 'users' | 'groups', ids: readonly string[]): SyncError {
  const named = ids.filter((id) => harmlessId.test(id)).slice(0, namedAtMost)
  const more = ids.length > named.length ? ', …' : ''
  const names = named.length === 0 ? '' : ` (${named.join(', ')}${more})`
  const records = ids.length === 1 ? 'a record' : `${ids.length} records`
  const what =
    ids.length === 0
      ? 'yielded, in an earlier pass, the same records for another organization'
      : `yielded ${records}${names} that did not come from this directory`
  return new SyncError(
    'ERR_SCIM_KNOWN_FOREIGN',
    `\`known.${plural}\` ${what}, so no ${plural} of this directory were deleted. Yield only ${plural} that events of its ` +
      'organization have created, with the ids of those events.',
  )
}
