import { IdTable } from '../known/id-table.ts'
import type { Known } from '../known/known-record.ts'
import { type KnownReading, readKnownIds } from '../known/read-known.ts'
import type { DirectoryRef } from '../reading/records.ts'

/** Ids that `known` yields for more than one organization. */
export interface SharedIds {
  size: number
  has(id: string): boolean
  /** The other organizations that share an id with this one. */
  partnersOf(organizationId: string): ReadonlySet<string>
  /** Whether all records of the organization were read. */
  isRead(organizationId: string): boolean
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
    const sharing = new Sharing()
    const organizations = new Set(this.#directories.map(({ organizationId }) => organizationId))
    if (organizations.size < 2) return sharing
    for (const directory of this.#directories) {
      const { organizationId } = directory
      const number = sharing.begin(organizationId)
      try {
        await readKnownIds(known, directory, this.#reading, (id) => sharing.add(id, number))
      } catch {
        // The directory's own report has the error. The error must not prevent deletions in other directories.
        this.#reading.signal.throwIfAborted()
        sharing.failed(organizationId)
      }
    }
    return sharing
  }
}

class Sharing implements SharedIds {
  readonly #ids = new IdTable()
  /** For each id, the number of the first organization that had this id. */
  readonly #owners: number[] = []
  readonly #shared = new Set<number>()
  readonly #partners = new Map<string, Set<string>>()
  /** Numbers the organizations, because numbers take less memory than ids. */
  readonly #organizations = new IdTable()
  readonly #failed = new Set<string>()

  get size(): number {
    return this.#shared.size
  }

  has(id: string): boolean {
    const index = this.#ids.indexOf(id)
    return index !== undefined && this.#shared.has(index)
  }

  partnersOf(organizationId: string): ReadonlySet<string> {
    return this.#partners.get(organizationId) ?? new Set()
  }

  isRead(organizationId: string): boolean {
    return this.#organizations.indexOf(organizationId) !== undefined && !this.#failed.has(organizationId)
  }

  /** @returns the organization's number */
  begin(organizationId: string): number {
    return this.#organizations.add(organizationId)
  }

  add(id: string, owner: number): void {
    const index = this.#ids.add(id)
    const first = this.#owners[index] ?? owner
    this.#owners[index] = first
    if (first === owner) return
    this.#shared.add(index)
    const [one, other] = [this.#organizations.at(owner), this.#organizations.at(first)]
    this.#pair(one, other)
    this.#pair(other, one)
  }

  failed(organizationId: string): void {
    this.#failed.add(organizationId)
  }

  #pair(one: string, other: string): void {
    const partners = this.#partners.get(one) ?? new Set()
    this.#partners.set(one, partners.add(other))
  }
}
