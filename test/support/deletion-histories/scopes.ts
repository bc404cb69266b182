import type { SyncReport } from '@scalekit-scim/core/sync'
import { type CustomerDirectory, kinds } from './environment.ts'
import { type Limits, LimitsWatch } from './limits-watch.ts'
import { type PassEnd, type PassNotes, scopeOf } from './pass-notes.ts'

/** The results of passes for each directory and kind, since the store last lost its data. */
export class Scopes {
  readonly #limits: Limits
  readonly #watches = new Map<string, LimitsWatch>()
  readonly #history = new Set<string>()
  readonly #met = new Set<string>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  watch(scope: string): LimitsWatch {
    const watch = this.#watches.get(scope) ?? new LimitsWatch(this.#limits)
    this.#watches.set(scope, watch)
    return watch
  }

  listed(ids: readonly string[]): void {
    for (const watch of this.#watches.values()) watch.listed(ids)
  }

  /** Returns whether a pass has searched for deletions in this directory. */
  hasHistory(scope: string): boolean {
    return this.#history.has(scope)
  }

  /** Returns whether a pass has read this directory. */
  hasMet({ id }: Pick<CustomerDirectory, 'id'>): boolean {
    return this.#met.has(id)
  }

  end(pass: PassNotes, report: SyncReport | undefined, { wrote, disturbed }: PassEnd): void {
    const { asked, listed, startedMs } = pass
    for (const scope of asked) this.#history.add(scope)
    if (disturbed) for (const watch of this.#watches.values()) watch.mayOvercount = true
    for (const directory of report?.organizations.flatMap(({ directories }) => directories) ?? []) {
      if (wrote) this.#met.add(directory.directoryId)
      for (const kind of kinds) {
        const scope = scopeOf(directory.directoryId, kind)
        const failed = directory.failed[`${kind}s`].ids.filter((id) => !listed.has(id))
        for (const id of failed) this.watch(scope).tried(id, startedMs)
        if (!wrote || directory.mode !== 'full' || !asked.has(scope)) continue
        this.watch(scope).confirm(directory[`${kind}s`].held)
      }
    }
  }

  forget(directoryId: string, scope: string): void {
    this.#met.delete(directoryId)
    this.#watches.delete(scope)
    this.#history.delete(scope)
  }
}
