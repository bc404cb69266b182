import type { Known } from '../known/known-record.ts'
import { eachRecord, type KnownReading } from '../known/read-known.ts'
import type { DirectoryRef } from '../reading/records.ts'

/** Ids that `known` yields for more than one organization. */
export interface SharedIds {
  ids: ReadonlySet<string>
  /** For each organization that shares an id, the other organizations with that id. */
  partners: ReadonlyMap<string, ReadonlySet<string>>
  /** The organizations whose records were all read. */
  read: ReadonlySet<string>
}

/**
 * Finds ids that `known` yields for more than one organization of a pass. Searches only records without an
 * `organizationId`. If `known` ignores the organization, each customer's users would look as if they had left all other
 * customers.
 *
 * The search reads `known` of all directories again, so it runs only if a record is missing.
 */
export class SharedIdFinder {
  readonly #reading: KnownReading
  readonly #directories: readonly DirectoryRef[]
  readonly #found = new Map<Known, Promise<SharedIds>>()

  /** @param directories all directories of the pass. The caller may add directories until it calls `sharedBy` */
  constructor(directories: readonly DirectoryRef[], reading: KnownReading) {
    this.#directories = directories
    this.#reading = reading
  }

  sharedBy(known: Known): Promise<SharedIds> {
    const found = this.#found.get(known) ?? this.#find(known)
    this.#found.set(known, found)
    return found
  }

  async #find(known: Known): Promise<SharedIds> {
    const read = new Set(this.#directories.map(({ organizationId }) => organizationId))
    const ids = new Set<string>()
    const partners = new Map([...read].map((organizationId) => [organizationId, new Set<string>()]))
    if (read.size < 2) return { ids, partners, read: new Set() }
    /** For each id, the first organization with this id. */
    const owners = new Map<string, string>()
    for (const directory of this.#directories) {
      const { organizationId } = directory
      try {
        await eachRecord(known, directory, this.#reading, (record) => {
          if (record.organizationId != null) return
          const owner = owners.get(record.id)
          if (owner === undefined) owners.set(record.id, organizationId)
          if (owner === undefined || owner === organizationId) return
          ids.add(record.id)
          partners.get(owner)?.add(organizationId)
          partners.get(organizationId)?.add(owner)
        })
      } catch {
        // The directory's own report has the error. The error must not prevent deletions in other directories.
        this.#reading.signal.throwIfAborted()
        read.delete(organizationId)
      }
    }
    return { ids, partners, read }
  }
}
