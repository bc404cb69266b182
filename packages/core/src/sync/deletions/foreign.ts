import { setImmediate as otherTasks } from 'node:timers/promises'
import type { Instant } from '@scalekit-scim/core/internal'
import { type KnownRecords, prefixOf } from '../known/known-records.ts'
import { recordsPerTurn } from '../known/read-known.ts'
import type { Kind } from '../reading/records.ts'
import { SyncError } from '../sync-error.ts'
import type { SharedIds } from './shared-ids.ts'

// Foreign records are records of `known` that did not come from the directory. Examples are users who signed up by
// email, and another customer's users. No directory of the organization lists such records, so they would look like
// users who have left.

/** The prefixes of Scalekit's ids, from its API reference. */
const documentedPrefix = { user: 'diruser_', group: 'dirgroup_' } as const
const namedAtMost = 3
/**
 * Ids that an error message may contain: a prefix, and a name with a digit, such as `usr_17`. Other ids may be personal
 * data, such as an email or a phone number.
 */
const harmlessId = /^[a-z]{1,16}_(?=\w*\d)\w{1,64}$/i

/**
 * Finds the known records that cannot belong to this directory: either their id has another prefix, or another
 * organization has the same id.
 * @param listed the prefixes of the ids that a walk has listed
 * @returns the indexes of these records in `known`
 */
export async function foreignIndexes(
  kind: Kind['name'],
  known: KnownRecords,
  listed: Iterable<string>,
  shared: SharedIds,
): Promise<Set<number>> {
  const own = new Set([documentedPrefix[kind], ...listed])
  const foreign = new Set<number>()
  if (shared.ids.size === 0 && [...known.prefixes].every((prefix) => own.has(prefix))) return foreign
  for (let index = 0; index < known.size; index++) {
    if (index % recordsPerTurn === 0) await otherTasks()
    const id = known.idAt(index)
    if (!own.has(prefixOf(id)) || shared.ids.has(id)) foreign.add(index)
  }
  return foreign
}

/**
 * Stores which organizations share ids with this one. An organization is removed when a pass has read it and finds no
 * shared ids.
 */
export function noteSharing(
  sharedWith: Map<string, Instant>,
  organizationId: string,
  shared: SharedIds,
  now: Instant,
): void {
  for (const other of sharedWith.keys()) if (shared.read.has(other)) sharedWith.delete(other)
  for (const other of shared.partners.get(organizationId) ?? []) sharedWith.set(other, now)
}

/** @param ids empty if an earlier pass found foreign records, and this pass could not search for them */
export function foreignError(plural: Kind['plural'], ids: readonly string[]): SyncError {
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
