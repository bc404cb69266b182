import type { DirectoryTask } from '../directory-task.ts'
import { IdTable } from '../id-table.ts'
import { type Known, readKnownIds } from '../known.ts'

/** Ids that `known` yields for more than one organization. */
export interface SharedIds {
  size: number
  has(id: string): boolean
}

const inSeveral = 0

/**
 * Which ids `known` yields for more than one organization of a pass. A `known` that leaves its organization out would
 * else make each customer's people look as if they had left all the others.
 *
 * It reads `known` of all directories once more, so it is asked only if somebody is missing.
 */
export class Neighbours {
  readonly #signal: AbortSignal
  readonly #tasks: readonly DirectoryTask[]
  readonly #read = new Map<Known, Promise<SharedIds>>()

  /** @param tasks all directories of the pass; they may be added until somebody is missing */
  constructor(tasks: readonly DirectoryTask[], signal: AbortSignal) {
    this.#tasks = tasks
    this.#signal = signal
  }

  sharedBy(known: Known): Promise<SharedIds> {
    const shared = this.#read.get(known) ?? this.#readAll(known)
    this.#read.set(known, shared)
    return shared
  }

  async #readAll(known: Known): Promise<SharedIds> {
    const organizations = [...new Set(this.#tasks.map(({ directory }) => directory.organizationId))]
    if (organizations.length < 2) return new Set()
    const ids = new IdTable()
    /** For each id its organization's number, from 1, or `inSeveral`. */
    const owners: number[] = []
    let size = 0
    for (const { directory } of this.#tasks) {
      const owner = organizations.indexOf(directory.organizationId) + 1
      try {
        await readKnownIds(known, directory, this.#signal, (id) => {
          const index = ids.add(id)
          const before = owners[index] ?? owner
          if (before !== owner && before !== inSeveral) size++
          owners[index] = before === owner ? owner : inSeveral
        })
      } catch {
        // The error is in the report of the directory itself. It must not keep the others' leavers.
        this.#signal.throwIfAborted()
      }
    }
    const has = (id: string) => {
      const index = ids.indexOf(id)
      return index !== undefined && owners[index] === inSeveral
    }
    return { size, has }
  }
}
