import { isDeepStrictEqual } from 'node:util'
import {
  formatInstant,
  type Instant,
  omitUndefined,
  plusSeconds,
  syncMarginSeconds,
} from '@scalekit-scim/core/internal'
import { EventBatch } from '../applying/event-batch.ts'
import {
  addsUp,
  type Decision,
  type DeletionCase,
  decideDeletions,
  isUndecided,
  noteDeletions,
  noteResults,
} from '../deletions/decision.ts'
import {
  addDirectories,
  approvedUntil,
  emptyHistory,
  forgetOld,
  largestKnown,
  noteKnown,
} from '../deletions/deletion-state.ts'
import { foreignError, foreignIndexes, noteSharing } from '../deletions/foreign.ts'
import { type BatchScope, openFirst, withoutIds } from '../deletions/held-batches.ts'
import { canDecide, findMissing, type Missing, placeOf, type Siblings } from '../deletions/missing.ts'
import type { DeletionState, DirectoryHistory, HeldBatch } from '../deletions/state-format.ts'
import { type LoadedState, StateStore } from '../deletions/state-store.ts'
import type { KnownRecords } from '../known/known-records.ts'
import { ListedIds } from '../known/listed-ids.ts'
import { type WalkTally, walk } from '../reading/pages.ts'
import { earliestInstant, type Kind } from '../reading/records.ts'
import { noteEvent, type Result, recordList } from '../reporting/directory-report.ts'
import type { HeldReason, ReturnedRecords } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { type DirectoryContext, directoriesNow, directoryPages } from './directories.ts'

/** A full walk over a directory, and the records that `known` yielded before the walk. */
export interface FullWalk {
  known: KnownRecords
  listed: ListedIds
  tally: WalkTally
  /**
   * The store's time before the pass read `known`. Events after this time are newer than the deletion of a missing
   * record.
   */
  observedAt: Instant
}

/** Records of `known` that do not belong to the directory. */
interface Foreign {
  /**
   * The indexes of these records. A record with the `organizationId` of another organization does not have an index.
   */
  indexes: ReadonlySet<number>
  /**
   * Whether there are foreign records. Also `true` if an earlier pass found shared ids, and this pass cannot search for
   * them.
   */
  any: boolean
}

/** The missing records, with the other values for the decision. */
interface Found extends Missing, Pick<DeletionCase, 'walks' | 'isSettled' | 'enabled' | 'foreign'> {
  /** The number of known records that belong to this directory, without foreign records. */
  own: number
}

/**
 * Finds, decides, stores and applies the deletions of one kind in one directory. Only a full pass detects deletions.
 */
export class DirectoryDeletions {
  readonly #context: DirectoryContext
  readonly #kind: Kind
  readonly #siblings: Siblings
  readonly #store: StateStore

  constructor(context: DirectoryContext, kind: Kind, siblings: Siblings) {
    this.#context = context
    this.#kind = kind
    this.#siblings = siblings
    this.#store = new StateStore(context.pass, context.task.directory.organizationId, kind.name)
  }

  /**
   * Deletes the missing records within the limits, and holds the other missing records.
   * @returns whether the next pass must check records about which this pass could not decide
   * @throws the store's error. If the store fails before the first deletion, the pass deletes nothing
   */
  async run(first: FullWalk): Promise<boolean> {
    const { pass, task } = this.#context
    const loaded = await this.#store.load()
    const now = await pass.storeTime()
    const state = this.#open(loaded, now)
    const isApprovedNow = ({ approval }: HeldBatch) => pass.approvals.has(approval)
    state.batches = state.batches.map((batch) =>
      isApprovedNow(batch) ? { ...batch, approvedAt: now } : batch,
    )
    const foreign = await this.#findForeign(first, state, now)
    const found = await this.#findMissing(first, state, foreign, now)
    const decision = this.#decide(state, found, loaded.incomplete, now)
    // Only ids that the pass does not delete become open ids. If the ids to delete were open, another pass could report
    // the ids as held.
    const heldIds = new Set(decision.held.flatMap(({ batch, ids }) => (batch ? ids : [])))
    const batches = openFirst([...found.batches, ...decision.batches], task.directory.id, heldIds)

    pass.requireRunning()
    // The pass counts the deletions before it applies them. If the process crashes before a deletion, the count is too
    // high, but never too low. The pass stores held records before it reports them.
    const written = pass.dryRun ? loaded : await this.#store.replace(loaded, { ...state, batches })
    this.#report(decision, found.returned, loaded)
    const results = await this.#delete([...decision.approved, ...decision.unapproved], first)
    if (!pass.dryRun && results.size > 0) {
      const gone = noteResults(this.#historyIn(state), decision, results, now)
      await this.#store.replace(written, { ...state, batches: withoutIds(batches, gone) })
    }
    return !foreign.any && isUndecided(decision, now)
  }

  /**
   * If `known` yields no records of the directory, call this method instead of `run`. In this case, no record can be
   * missing. Batches of earlier passes remain held. Approvals do not have an effect. The history begins with this pass.
   * If `known` yields older records later, a later pass holds the missing records.
   */
  async runEmpty({ foreign }: KnownRecords, startedAt: Instant): Promise<void> {
    this.#reportForeign(foreign)
    await this.reportHeldBefore()
    if (this.#context.pass.dryRun) return
    const loaded = await this.#store.load()
    const state = this.#open(loaded, await this.#context.pass.storeTime())
    // A record that this pass created can have a time up to `syncMarginSeconds` before the start of the pass.
    this.#historyIn(state).from ??= plusSeconds(startedAt, -syncMarginSeconds)
    await this.#store.replace(loaded, state)
  }

  /**
   * Reports the batches of earlier passes. If the pass does not search for deletions, call this method instead of
   * `run`.
   */
  async reportHeldBefore(): Promise<void> {
    const state = await this.#store.loadOpen(this.#context.task.directory.id)
    if (state.batches.length === 0) return
    for (const batch of forgetOld(state, await this.#context.pass.storeTime()).batches) {
      this.#reportHeld(batch.reason, batch.ids.slice(0, batch.open), batch.open, batch)
    }
  }

  /** Removes old entries from the stored state, and adds the directories of this pass. */
  #open(loaded: LoadedState, now: Instant): DeletionState {
    const state = forgetOld(loaded, now)
    addDirectories(state, this.#context.task.directories)
    // If a batch is lost, its ids and their directory are unknown. If no pass has read an organization with shared ids
    // for 30 days, users of that organization can be among the missing records. In both cases, the history begins
    // again.
    const isForgotten = loaded.incomplete || state.sharedWith.size < loaded.sharedWith.size
    if (isForgotten) for (const history of state.directories.values()) history.from = undefined
    return state
  }

  #scope(now: Instant): BatchScope {
    return { directory: this.#context.task.directory, kind: this.#kind.name, now }
  }

  #historyIn({ directories }: DeletionState): DirectoryHistory {
    return directories.get(this.#context.task.directory.id) ?? emptyHistory()
  }

  /** Finds and reports foreign records. If no record is missing, the known records are not searched. */
  async #findForeign({ known, listed }: FullWalk, state: DeletionState, now: Instant): Promise<Foreign> {
    const { plural, name } = this.#kind
    const source = this.#context.pass.config.known[plural]
    let indexes: ReadonlySet<number> = new Set()
    let isSuspect = false
    if (source && listed.missing().length > 0) {
      const shared = await this.#context.pass.findSharedIds(source)
      indexes = await foreignIndexes(name, known, listed.prefixes, shared)
      noteSharing(state.sharedWith, this.#context.task.directory.organizationId, shared, now)
      isSuspect = state.sharedWith.size > 0
    }
    const ids = [...known.foreign, ...[...indexes].map((index) => known.idAt(index))]
    this.#reportForeign(ids, isSuspect)
    return { indexes, any: ids.length > 0 || isSuspect }
  }

  /**
   * Finds the missing records. If the pass can decide about a missing record, it walks the directory again, and lists
   * the organization's directories again. If the totals of the first walk were wrong, there is no second walk.
   */
  async #findMissing(
    { known, listed, tally }: FullWalk,
    state: DeletionState,
    foreign: Foreign,
    now: Instant,
  ): Promise<Found> {
    const { pass, task } = this.#context
    const search = {
      ...this.#scope(now),
      directories: task.directories,
      siblings: this.#siblings,
      batches: state.batches,
      known,
      foreign: foreign.indexes,
      isOnlyDirectory: state.directories.size === 1,
    }
    let found = findMissing(search, [listed])
    let walks: DeletionCase['walks'] = [tally]
    let isSettled = false
    let enabled = true
    if (canDecide(found.missing, now) && addsUp(tally)) {
      const again = new ListedIds(known)
      const pages = directoryPages(this.#context, this.#kind)
      walks = [tally, await walk(pages, again, () => pass.requireRunning())]
      found = findMissing(search, [listed, again])
      isSettled = again.covers(listed)
    }
    if (canDecide(found.missing, now)) {
      const present = await directoriesNow(this.#context)
      enabled = present.enabled
      isSettled &&= isDeepStrictEqual(present.ids, task.directories)
      addDirectories(state, present.ids)
    }
    const isOnlyDirectory = state.directories.size === 1
    const own = known.count(
      (index) => !foreign.indexes.has(index) && placeOf(known, index, isOnlyDirectory) === 'own',
    )
    return { ...found, walks, isSettled, enabled, foreign: foreign.any, own }
  }

  /** Decides about the missing records, and adds the deletions to the state's history. */
  #decide(state: DeletionState, found: Found, isIncomplete: boolean, now: Instant): Decision {
    const { config, approvals } = this.#context.pass
    const { missing, walks, foreign, own } = found
    const history = this.#historyIn(state)
    const isProcessLedger = config.dispatcher.guarantee.message === 'process'
    // Held records do not count, because they must not widen the limits. Held records can be tombstones, or other rows
    // that no directory has listed for a long time.
    const missingOwn = missing.filter(({ place }) => place === 'own')
    const heldBefore = missingOwn.filter(({ batch }) => batch).length
    const subject = {
      ...found,
      ...this.#scope(now),
      history,
      base: Math.max(largestKnown(history), own - heldBefore),
      from: isProcessLedger && !isIncomplete ? earliestInstant : history.from,
      siblingsRead: this.#siblings.complete,
    }
    const decision = decideDeletions(subject, config.limits, approvals)
    const held = new Set(decision.held.flatMap(({ ids }) => ids))
    noteKnown(history, own - missingOwn.filter(({ id }) => held.has(id)).length, now)
    if (decision.complete && !foreign && addsUp(walks[0])) history.from = earliestInstant
    noteDeletions(history, decision, now)
    return decision
  }

  #report({ held, batches }: Decision, returned: readonly ReturnedRecords[], loaded: LoadedState): void {
    for (const { reason, ids, batch } of held) {
      this.#reportHeld(reason, [...ids].sort(), ids.length, batch)
    }
    this.#context.report.returned.push(...returned)
    const { approvals, approvalsUsed } = this.#context.pass
    for (const { approval } of [...loaded.batches, ...batches]) {
      if (approvals.has(approval)) approvalsUsed.add(approval)
    }
  }

  #reportHeld(reason: HeldReason, ids: readonly string[], count: number, batch: HeldBatch | undefined): void {
    const { approval, heldAt, approvedAt } = batch ?? {}
    const { report } = this.#context
    report[this.#kind.plural].held += count
    report.held.push({
      kind: this.#kind.name,
      reason,
      count,
      ...omitUndefined({
        approval,
        heldSince: heldAt && formatInstant(heldAt),
        approvedUntil: approvedAt && formatInstant(approvedUntil(approvedAt)),
      }),
      ids: recordList(ids).ids,
    })
  }

  #reportForeign(ids: readonly string[], isSuspect = false): void {
    if (ids.length > 0 || isSuspect)
      this.#context.report.error ??= reported(foreignError(this.#kind.plural, ids))
  }

  async #delete(
    ids: readonly string[],
    { known, observedAt }: FullWalk,
  ): Promise<ReadonlyMap<string, Result>> {
    const { directory } = this.#context.task
    const results = new Map<string, Result>()
    const batch = new EventBatch(this.#context.pass)
    // The margin is the same as for other events of the sync. If the directory adds the user again, the webhook's event
    // is newer, despite different clocks.
    const occurredAt = plusSeconds(observedAt, -syncMarginSeconds)
    try {
      for (const id of ids) {
        // The event of a record of a removed directory contains the id of that directory. With this directory's id, the
        // application would assign the record to this directory.
        const directoryId = known.directoryOf(known.indexOf(id) ?? -1) ?? directory.id
        const event = this.#kind.deletedEvent({ ...directory, id: directoryId }, id, occurredAt)
        const ended = (result: Result) => {
          results.set(id, result)
          noteEvent(this.#context.report, this.#kind.plural, id, 'deleted', result)
          if (result !== 'applied' || this.#context.pass.dryRun) return
          const { organizationId } = directory
          this.#context.pass.config.log.info(
            { organizationId, directoryId, kind: this.#kind.name, resourceId: id },
            'the sync deleted a record that its directory no longer lists',
          )
        }
        await batch.add({ event, observedAt, directoryId, ended })
      }
    } finally {
      await batch.drained()
    }
    return results
  }
}
