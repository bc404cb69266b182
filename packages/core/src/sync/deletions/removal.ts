import { formatInstant, type Instant, plusSeconds, syncMarginSeconds } from '@scalekit-scim/core/internal'
import type { DirectoryReader } from '../directory-reader.ts'
import type { DirectoryTask } from '../directory-task.ts'
import type { Kind } from '../kinds.ts'
import type { KnownRecords } from '../known.ts'
import { type PassContext, storeTime } from '../pass-context.ts'
import type { GroupRecord, UserRecord } from '../records.ts'
import { type DirectoryReport, type HeldReason, reported } from '../report.ts'
import { type Result, type Results, recordList } from '../results.ts'
import { walk } from '../walk.ts'
import {
  always,
  approvedUntil,
  countDeletions,
  type DeletionState,
  type DirectoryHistory,
  emptyHistory,
  forgetOld,
  type HeldBatch,
  isApproved,
  largestKnown,
  noteKnown,
} from './deletion-state.ts'
import { foreignError, foreignIndexes } from './foreign.ts'
import { openFirst, withoutIds } from './held-batches.ts'
import { addsUp, judgeDeletions, type Verdict } from './judgement.ts'
import { canBeDecided, type FirstWalk, findMissing, type Missing, placeOf, type Siblings } from './missing.ts'
import type { SharedIds } from './neighbours.ts'
import { type LoadedState, type StateScope, StateStore } from './state-store.ts'

export interface RemovalParts {
  pass: PassContext
  task: DirectoryTask
  report: DirectoryReport
  reader: DirectoryReader
  siblings: Siblings
}

/** Records of `known` that are not the directory's. */
interface Foreign {
  /** Without those whose own `organizationId` says so: they have no index. */
  indexes: ReadonlySet<number>
  /** Whether there are any. Also if an earlier pass found shared ids, and this one cannot look for them. */
  any: boolean
}

interface Found {
  missing: Missing
  /** Whether the directory is enabled, after the walks. */
  enabled: boolean
  /** Whether the organization has the directories that it had when the pass began. */
  same: boolean
}

/** The deletions of one kind in one directory: found by a full pass, judged, written down, and applied. */
export class Removal<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord> {
  readonly #pass: PassContext
  readonly #task: DirectoryTask
  readonly #report: DirectoryReport
  readonly #reader: DirectoryReader
  readonly #siblings: Siblings
  readonly #kind: Kind<Item, DirectoryRecord>
  readonly #results: Results
  readonly #scope: StateScope
  readonly #store: StateStore

  constructor(parts: RemovalParts, kind: Kind<Item, DirectoryRecord>, results: Results) {
    this.#pass = parts.pass
    this.#task = parts.task
    this.#report = parts.report
    this.#reader = parts.reader
    this.#siblings = parts.siblings
    this.#kind = kind
    this.#results = results
    this.#scope = { organizationId: this.#task.directory.organizationId, kind: kind.name }
    const { dispatcher, clock } = this.#pass.config
    this.#store = new StateStore(dispatcher.ledger, clock, this.#pass.signal)
  }

  /**
   * Deletes the missing records that may be deleted, and holds the others.
   * @returns whether the next pass must look again at what could not be decided
   * @throws what the store throws. If it fails before deletions have begun, nobody is deleted
   */
  async run(first: FirstWalk): Promise<boolean> {
    const loaded = await this.#store.load(this.#scope)
    const now = await storeTime(this.#pass)
    const state = this.#approve(this.#open(loaded, now), now)
    const foreign = await this.#foreign(first, state, now)
    const found = await this.#find(first, state, foreign.indexes, now)
    const verdict = this.#judge(first, state, { loaded, foreign, found, now })
    const next = { ...state, batches: this.#batchesAfter(verdict, found.missing) }

    this.#pass.mayGoOn()
    // A process that dies from here on has counted too many, and never too few. What is not written is not told.
    const written = this.#pass.dryRun ? loaded : await this.#store.replace(this.#scope, loaded, next)
    this.#tell(verdict, found.missing, loaded)
    const results = await this.#delete([...verdict.approved, ...verdict.unapproved], first)
    if (!this.#pass.dryRun && results.size > 0) await this.#settle(verdict, written, next, results, now)
    return !foreign.any && isUndecided(verdict, now)
  }

  /**
   * For a `known` that yields nothing of the directory, so that nobody can be missing. What earlier passes hold stays
   * held, and approvals are not taken. A history begins with the pass. If the application has older records after all,
   * they are held when they are missing.
   */
  async runEmpty({ foreign }: KnownRecords, startedAt: Instant): Promise<void> {
    this.#tellForeign(foreign)
    await this.tellHeldBefore()
    if (this.#pass.dryRun) return
    const loaded = await this.#store.load(this.#scope)
    const state = this.#open(loaded, await storeTime(this.#pass))
    // What this pass has created bears a time of up to the margin before it.
    this.#historyIn(state).from ??= plusSeconds(startedAt, -syncMarginSeconds)
    await this.#store.replace(this.#scope, loaded, state)
  }

  /** For a pass that does not look for deletions: what earlier ones hold goes into its report. */
  async tellHeldBefore(): Promise<void> {
    const state = await this.#store.loadOpen(this.#scope, this.#task.directory.id)
    if (state.batches.length === 0) return
    for (const batch of forgetOld(state, await storeTime(this.#pass)).batches) {
      this.#tellHeld(batch.reason, batch.ids.slice(0, batch.open), batch.open, batch)
    }
  }

  /** The state, with the directories of this pass. */
  #open(loaded: LoadedState, now: Instant): DeletionState {
    const state = forgetOld(loaded, now)
    noteDirectories(state.directories, this.#task.directories)
    // Nobody knows any more whom the lost batch held, nor of which directory. And people of an organization whose ids
    // were shared, and that no pass has read for 30 days, may still be among the missing.
    const isForgotten = loaded.incomplete || state.sharedWith.size < loaded.sharedWith.size
    if (isForgotten) for (const history of state.directories.values()) history.from = undefined
    return state
  }

  #approve(state: DeletionState, now: Instant): DeletionState {
    const { approvals } = this.#pass
    const batches = state.batches.map((batch) =>
      approvals.has(batch.approval) ? { ...batch, approvedAt: now } : batch,
    )
    return { ...state, batches }
  }

  #historyIn({ directories }: DeletionState): DirectoryHistory {
    return directories.get(this.#task.directory.id) ?? emptyHistory()
  }

  /** Reports what is foreign. If nobody is missing, none can be among its records. */
  async #foreign({ known, sightings }: FirstWalk, state: DeletionState, now: Instant): Promise<Foreign> {
    const { plural, name } = this.#kind
    const source = this.#pass.config.known[plural]
    let indexes: ReadonlySet<number> = new Set()
    let isSuspect = false
    if (source && sightings.missing().length > 0) {
      const shared = await this.#pass.neighbours.sharedBy(source)
      indexes = await foreignIndexes(name, known, sightings.prefixes, shared)
      noteSharing(state.sharedWith, this.#task.directory.organizationId, shared, now)
      isSuspect = state.sharedWith.size > 0
    }
    const ids = [...known.foreign, ...[...indexes].map((index) => known.idAt(index))]
    this.#tellForeign(ids, isSuspect)
    return { indexes, any: ids.length > 0 || isSuspect }
  }

  #tellForeign(ids: readonly string[], isSuspect = false): void {
    if (ids.length === 0 && !isSuspect) return
    this.#report.error ??= reported(foreignError(this.#kind.plural, ids))
  }

  /** Walks again, and asks for the organization's directories again, if anything can be decided about the missing. */
  async #find(
    first: FirstWalk,
    state: DeletionState,
    foreign: ReadonlySet<number>,
    now: Instant,
  ): Promise<Found> {
    const sole = state.directories.size === 1
    const looking = {
      kind: this.#kind.name,
      directoryId: this.#task.directory.id,
      directories: this.#task.directories,
      siblings: this.#siblings,
      batches: state.batches,
      foreign,
      sole,
      now,
    }
    const missing = await findMissing(first, looking, (again) =>
      walk(this.#reader.pages(this.#kind), again, () => this.#pass.mayGoOn()),
    )
    const decidable = missing.records.some((record) => canBeDecided(record, now))
    if (!decidable) return { missing, enabled: true, same: true }
    const { enabled, ids } = await this.#reader.directoriesNow()
    const { directories } = this.#task
    const same = ids.size === directories.size && [...ids].every((id) => directories.has(id))
    noteDirectories(state.directories, ids)
    return { missing, enabled, same }
  }

  /** Judges the missing, and counts in the state's history what is about to be deleted. */
  #judge(
    { known, tally }: FirstWalk,
    state: DeletionState,
    { loaded, foreign, found, now }: { loaded: LoadedState; foreign: Foreign; found: Found; now: Instant },
  ): Verdict {
    const { dispatcher, limits } = this.#pass.config
    const { missing, enabled, same } = found
    const history = this.#historyIn(state)
    const sole = state.directories.size === 1
    const isOwn = (index: number) => !foreign.indexes.has(index) && placeOf(known, index, sole) === 'own'
    const isHeld = new Set(missing.records.flatMap(({ id, batch }) => (batch ? id : [])))
    const own = known.count(isOwn)
    const ownOf = (held: ReadonlySet<string>) =>
      own - missing.records.filter(({ id, place }) => place === 'own' && held.has(id)).length
    const isProcess = dispatcher.guarantee.message === 'process'
    const verdict = judgeDeletions(
      {
        directory: this.#task.directory,
        kind: this.#kind.name,
        now,
        missing: missing.records,
        history,
        base: Math.max(largestKnown(history), ownOf(isHeld)),
        from: isProcess && !loaded.incomplete ? always : history.from,
        walks: missing.walks,
        steady: missing.steady && same,
        enabled,
        foreign: foreign.any,
        siblingsRead: this.#siblings.complete,
      },
      limits,
      this.#pass.approvals,
    )
    // Rows that nobody has listed for long, tombstones left in `known`, for example, must not widen the limits.
    noteKnown(history, ownOf(new Set(verdict.held.flatMap(({ ids }) => ids))), now)
    if (verdict.complete && !foreign.any && addsUp(tally)) history.from = always
    // Those of earlier passes that were tried are counted. They are forgotten once they are held, or not missing.
    const again = verdict.unapproved.filter((id) => history.tried.has(id))
    countDeletions(history, verdict.unapproved.length - again.length, now)
    const waiting = verdict.held.flatMap(({ batch, ids }) => (batch ? [] : ids))
    history.tried = new Set([...again, ...waiting.filter((id) => history.tried.has(id))])
    return verdict
  }

  /** Open are those that stay held. Who is about to be deleted is not told as held by a pass in between. */
  #batchesAfter({ batches, held }: Verdict, { reviewed }: Missing): HeldBatch[] {
    const ids = held.flatMap(({ batch, ids }) => (batch ? ids : []))
    return openFirst([...reviewed.batches, ...batches], this.#task.directory.id, new Set(ids))
  }

  #tell({ held, batches }: Verdict, { reviewed }: Missing, loaded: LoadedState): void {
    for (const { reason, ids, batch } of held) this.#tellHeld(reason, [...ids].sort(), ids.length, batch)
    this.#report.returned.push(...reviewed.returned)
    const { approvals, approvalsUsed } = this.#pass
    for (const { approval } of [...loaded.batches, ...batches]) {
      if (approvals.has(approval)) approvalsUsed.add(approval)
    }
  }

  #tellHeld(reason: HeldReason, ids: readonly string[], count: number, batch: HeldBatch | undefined): void {
    this.#results.counts.held += count
    this.#report.held.push({
      kind: this.#kind.name,
      reason,
      count,
      ...(batch && { approval: batch.approval, heldSince: formatInstant(batch.heldAt) }),
      ...(batch?.approvedAt && { approvedUntil: formatInstant(approvedUntil(batch.approvedAt)) }),
      ids: recordList(ids).ids,
    })
  }

  /** Takes back the counts of what was surely not deleted, and takes what was out of its batch. */
  async #settle(
    { approved, unapproved }: Verdict,
    written: LoadedState,
    state: DeletionState,
    results: ReadonlyMap<string, Result>,
    now: Instant,
  ): Promise<void> {
    const history = this.#historyIn(state)
    const isApplied = (id: string) => results.get(id) === 'applied'
    // Also of a handler that failed, or dropped the event, the effect may have taken place.
    const isTried = (id: string) => ['failed', 'dropped'].includes(results.get(id) ?? '')
    const untouched = unapproved.filter((id) => !isApplied(id) && !isTried(id))
    countDeletions(history, -untouched.filter((id) => !history.tried.has(id)).length, now)
    history.tried = new Set(unapproved.filter(isTried))
    // A newer event was applied to a stale one: it is not held any longer either.
    const gone = [...approved, ...unapproved].filter((id) => isApplied(id) || results.get(id) === 'stale')
    await this.#store.replace(this.#scope, written, { ...state, batches: withoutIds(state.batches, gone) })
  }

  async #delete(
    ids: readonly string[],
    { known, observedAt }: FirstWalk,
  ): Promise<ReadonlyMap<string, Result>> {
    const { directory } = this.#task
    const results = new Map<string, Result>()
    const batch = this.#pass.application.open(this.#pass, directory.id)
    // As with other events of the sync: if somebody comes back, their webhook wins over clocks that differ.
    const occurredAt = plusSeconds(observedAt, -syncMarginSeconds)
    const ended = (id: string, directoryId: string) => (result: Result) => {
      results.set(id, result)
      this.#results.add(id, 'deleted', result)
      if (result === 'applied' && !this.#pass.dryRun) this.#logDeletion(id, directoryId)
    }
    try {
      for (const id of ids) {
        // Of a removed directory it bears that one's id: were it this one's, the application would take it for ours.
        const directoryId = known.directoryOf(known.indexOf(id) ?? -1) ?? directory.id
        const event = this.#kind.deletedEvent({ ...directory, id: directoryId }, id, occurredAt)
        await batch.add(event, { observedAt, directoryId, ended: ended(id, directoryId) })
      }
    } finally {
      await batch.drained()
    }
    return results
  }

  #logDeletion(resourceId: string, directoryId: string): void {
    const { organizationId } = this.#task.directory
    this.#pass.config.log.info(
      { organizationId, directoryId, kind: this.#kind.name, resourceId },
      'the sync deleted a record that its directory does not list any more',
    )
  }
}

function noteDirectories(directories: Map<string, DirectoryHistory>, ids: Iterable<string>): void {
  for (const id of ids) if (!directories.has(id)) directories.set(id, emptyHistory())
}

/** What one pass has found stays noted until a pass that reads the same organizations does not find it any more. */
function noteSharing(
  sharedWith: Map<string, Instant>,
  organizationId: string,
  shared: SharedIds,
  now: Instant,
): void {
  for (const other of sharedWith.keys()) if (shared.isRead(other)) sharedWith.delete(other)
  for (const other of shared.partnersOf(organizationId)) sharedWith.set(other, now)
}

/** Whether anything waits for the next pass, rather than for a person. */
function isUndecided({ held }: Verdict, now: Instant): boolean {
  return held.some(({ reason, batch }) =>
    batch ? isApproved(batch, now) : reason === 'unsettled' || reason === 'directory-disabled',
  )
}
