import type { KnownRecords, Sightings } from '../known.ts'
import { prefixOf } from '../prefix.ts'
import { SyncError } from '../sync-error.ts'

// Records of `known` that do not come from the directory: people who signed up by email, or another customer's. No
// directory lists them, so they would look like people who have left.

/** The forms of Scalekit's ids, by its API reference. */
const documentedPrefix = { user: 'diruser_', group: 'dirgroup_' } as const
const namedAtMost = 3
/** Any other id may hold personal data: an email, for example. */
const harmlessId = /^[\w-]{1,64}$/

/**
 * The known records that cannot be this directory's: by their id, or because another organization has them too.
 * @param listed the walk, which shows what this directory's ids begin with
 */
export function foreignIndexes(
  kind: 'user' | 'group',
  known: KnownRecords,
  listed: Pick<Sightings, 'prefixes'>,
  isElsewhere: (id: string) => boolean,
): Set<number> {
  const prefixes = new Set([documentedPrefix[kind], ...listed.prefixes])
  const foreign = new Set<number>()
  for (let index = 0; index < known.size; index++) {
    const id = known.idAt(index)
    if (!prefixes.has(prefixOf(id)) || isElsewhere(id)) foreign.add(index)
  }
  return foreign
}

export function foreignError(plural: 'users' | 'groups', ids: readonly string[]): SyncError {
  const named = ids.filter((id) => harmlessId.test(id)).slice(0, namedAtMost)
  const more = ids.length > named.length ? ', …' : ''
  const names = named.length === 0 ? '' : ` (${named.join(', ')}${more})`
  const records = ids.length === 1 ? 'a record' : `${ids.length} records`
  return new SyncError(
    'ERR_SCIM_KNOWN_FOREIGN',
    `\`known.${plural}\` yielded ${records}${names} that did not come from this directory, so no ${plural} of it were ` +
      `deleted. Yield only ${plural} that events of this directory's organization have created, with the ids of those events.`,
  )
}
