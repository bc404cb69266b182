import { setImmediate as otherTasks } from 'node:timers/promises'
import type { Instant } from '@scalekit-scim/core/internal'
import type { Known } from '../known/known-record.ts'
import { type KnownRecords, prefixOf } from '../known/known-records.ts'
import { eachRecord, type KnownReading, recordsPerTurn } from '../known/read-known.ts'
import type { DirectoryRef, Kind } from '../reading/records.ts'
import { SyncError } from '../sync-error.ts'

// Foreign records are records of `known` that did not come from the directory. Examples are users who signed up by
// email, and another customer's users. No directory of the organization lists such records, so they look like users who
// have left.

/** The prefixes of Scalekit's ids, from its API reference. */
const documentedPrefix = { user: 'diruser_', group: 'dirgroup_' } as const
const namedAtMost = 3
/**
 * Only ids of this form may be in an error message: a prefix, and a name with a digit, for example `usr_17`. Other ids
 * can be personal data, such as an email or a phone number.
 */
const harmlessId = /^[a-z]{1,16}_(?=\w*\d)\w{1,64}$/i

/** Ids that `known` yields for more than one organization. */
export interface SharedIds {
  ids: ReadonlySet<string>
  /** For each organization that shares an id, the other organizations with that id. */
  partners: ReadonlyMap<string, ReadonlySet<string>>
  /** The organizations whose records the search has read to the end. */
  read: ReadonlySet<string>
}

/**
 * Returns a search for ids that `known` yields for more than one organization of a pass. The search reads only records
 * without an `organizationId`. Such ids show that `known` ignores the organization. In that case, each customer's users
 * look as if they had left all other customers.
 *
 * Each search reads `known` of all directories again. So a pass searches only after it has found a missing record.
 * @param directories all directories of the pass. The caller may add directories until the first search
 */
export function sharedIdFinder(directories: readonly DirectoryRef[], reading: KnownReading) {
  const found = new Map<Known, Promise<SharedIds>>()
  return (known: Known): Promise<SharedIds> => {
    const shared = found.get(known) ?? findSharedIds(known, directories, reading)
    found.set(known, shared)
    return shared
  }
}

async function findSharedIds(
  known: Known,
  directories: readonly DirectoryRef[],
  reading: KnownReading,
): Promise<SharedIds> {
  const read = new Set(directories.map(({ organizationId }) => organizationId))
  const ids = new Set<string>()
  const partners = new Map([...read].map((organizationId) => [organizationId, new Set<string>()]))
  if (read.size < 2) return { ids, partners, read: new Set() }
  /** For each id, the first organization with this id. */
  const owners = new Map<string, string>()
  for (const directory of directories) {
    const { organizationId } = directory
    try {
      await eachRecord(known, directory, reading, (record) => {
        if (record.organizationId != null) return
        const owner = owners.get(record.id)
        if (owner === undefined) owners.set(record.id, organizationId)
        if (owner === undefined || owner === organizationId) return
        ids.add(record.id)
        partners.get(owner)?.add(organizationId)
        partners.get(organizationId)?.add(owner)
      })
    } catch {
      // The directory's own report contains the error. The error must not prevent deletions in other directories.
      reading.signal.throwIfAborted()
      read.delete(organizationId)
    }
  }
  return { ids, partners, read }
}

/**
 * Finds the known records that cannot belong to this directory. Either the record's id has another prefix, or another
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
 * Stores which organizations share ids with this organization. Removes the organizations that a pass has read, if they
 * share no ids.
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

/**
 * @param ids if empty, an earlier pass found foreign records, and this pass could not search for them
 */
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
