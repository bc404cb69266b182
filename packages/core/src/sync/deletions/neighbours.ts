import type { Clock } from '@scalekit-scim/core'
import type { DirectoryTask } from '../directory-task.ts'
import { IdTable } from '../id-table.ts'
import { type Known, readKnownIds } from '../known.ts'

/** Ids that `known` yields for more than one organization. */
export interface SharedIds {
  size: number
  has(id: string): boolean
  /** The other organizations that have ids of this one, or some of them. */
  partnersOf(organizationId: string): ReadonlySet<string>
  /** Whether all that `known` has of an organization was looked at. */
  isRead(organizationId: string): boolean
}

/**
 * Finds ids that `known` yields for more than one organization of a pass, among records without an `organizationId`. If
 * `known` leaves the organization out, each customer's people would look as if they had left all the others.
 *
 * It reads `known` of all directories once more, so it is asked only if somebody is missing.
 */
export class Neighbours {
  readonly #reading: { signal: AbortSignal; clock: Clock }
  readonly #tasks: readonly DirectoryTask[]
  readonly #found = new Map<Known, Promise<SharedIds>>()

  /** @param tasks all directories of the pass; they may be added until somebody is missing */
  constructor(tasks: readonly DirectoryTask[], reading: { signal: AbortSignal; clock: Clock }) {
    this.#tasks = tasks
    this.#reading = reading
  }

  sharedBy(known: Known): Promise<SharedIds> {
    const found = this.#found.get(known) ?? this.#find(known)
    this.#found.set(known, found)
    return found
  }

  async #find(known: Known): Promise<SharedIds> {
    const organizations = new Set(this.#tasks.map(({ directory }) => directory.organizationId))
    const sharing = new Sharing()
    // A pass over one organization has nothing to compare with.
    for (const { directory } of organizations.size < 2 ? [] : this.#tasks) {
      const { organizationId } = directory
      const number = sharing.begin(organizationId)
      try {
        await readKnownIds(known, directory, this.#reading, (id) => sharing.add(id, number))
      } catch {
        // The error is in the report of the directory itself. It must not keep the others' leavers.
        this.#reading.signal.throwIfAborted()
        sharing.failed(organizationId)
      }
    }
    return sharing
  }
}

class Sharing implements SharedIds {
  readonly #ids = new IdTable()
  /** Of each id the number of the organization that had it first. */
  readonly #owners: number[] = []
  readonly #shared = new Set<number>()
  readonly #partners = new Map<string, Set<string>>()
  /** Their numbers, by which owners take less memory. */
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
