import { formatInstant, type Instant, plusSeconds, syncMarginSeconds } from '@scalekit-scim/core'
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
  countDeletions,
  type DeletionState,
  type DirectoryHistory,
  emptyHistory,
  forgetOld,
  type HeldBatch,
  isApproved,
  noteKnown,
} from './deletion-state.ts'
import { foreignError, foreignIndexes } from './foreign.ts'
import { openFirst, withoutIds } from './held-batches.ts'
import { addsUp, judgeDeletions, type Verdict } from './judgement.ts'
import { canBeDecided, type FirstWalk, findMissing, type Missing, placeOf } from './missing.ts'
import { type LoadedState, type StateScope, StateStore } from './state-store.ts'

export interface RemovalParts {
  pass: PassContext
  task: DirectoryTask
  report: DirectoryReport
  reader: DirectoryReader
}

/** Records of `known` that are not the directory's. */
interface Foreign {
  indexes: ReadonlySet<number>
  /** Also those that said so themselves, which have no index. */
  count: number
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
  readonly #kind: Kind<Item, DirectoryRecord>
  readonly #results: Results
  readonly #scope: StateScope
  readonly #store: StateStore

  constructor(parts: RemovalParts, kind: Kind<Item, DirectoryRecord>, results: Results) {
    this.#pass = parts.pass
    this.#task = parts.task
    this.#report = parts.report
    this.#reader = parts.reader
    this.#kind = kind
    this.#results = results
    this.#scope = { organizationId: this.#task.directory.organizationId, kind: kind.name }
    const { dispatcher, clock } = this.#pass.config
    this.#store = new StateStore(dispatcher.ledger, clock, this.#pass.signal)
  }

  /**
   * Deletes whom it may, and holds the others.
   * @returns whether the next pass must look again at what could not be decided
   * @throws what the store throws. Unless deletions have begun, nobody is deleted then
   */
  run(first: FirstWalk): Promise<boolean> {
    return this.#inTurn(async () => {
      const loaded = await this.#store.load(this.#scope)
      const now = await storeTime(this.#pass)
      const state = this.#open(loaded, now)
      const foreign = await this.#foreign(first)
      const found = await this.#find(first, state, foreign.indexes, now)
      const verdict = this.#judge(first, state, { loaded, foreign, found, now })
      const next = { ...state, batches: this.#batchesAfter(verdict, found.missing) }

      this.#pass.mayGoOn()
      // A process that dies from here on has counted too many, and never too few. What is not written is not told.
      const written = this.#pass.dryRun ? loaded : await this.#store.replace(this.#scope, loaded, next)
      this.#tell(verdict, found.missing, loaded)
      const results = await this.#delete([...verdict.approved, ...verdict.unapproved], first.observedAt)
      if (!this.#pass.dryRun && results.size > 0) await this.#settle(verdict, written, next, results, now)
      return foreign.count === 0 && isUndecided(verdict, now)
    })
  }

  /** For an application that has nothing of the directory yet: from here on there is a history. */
  async runEmpty({ foreign }: KnownRecords): Promise<void> {
    this.#tellForeign(foreign)
    if (this.#pass.dryRun) return
    await this.#inTurn(async () => {
      const loaded = await this.#store.load(this.#scope)
      const state = this.#open(loaded, await storeTime(this.#pass))
      this.#historyIn(state).judged = true
      await this.#store.replace(this.#scope, loaded, state)
    })
  }

  /** For a pass that does not look for deletions: what earlier ones hold goes into its report. */
  async runIncremental(): Promise<void> {
    for (const batch of await this.#store.openBatches(this.#scope, this.#task.directory.id)) {
      this.#tellHeld(batch.reason, batch.ids.slice(0, batch.open), batch.open, batch)
    }
  }

  /** The directories of an organization share its state. */
  #inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    return this.#pass.inTurn(`${this.#scope.kind}:${this.#scope.organizationId}`, work)
  }

  /** The state, with the directories and the approvals of this pass. */
  #open(loaded: LoadedState, now: Instant): DeletionState {
    const { directories, batches } = forgetOld(loaded, now)
    noteDirectories(directories, this.#task.directories)
    // Nobody knows any more whom the lost batch held, nor of which directory.
    if (loaded.incomplete) for (const history of directories.values()) history.judged = false
    const { approvals } = this.#pass
    return {
      directories,
      batches: batches.map((batch) =>
        approvals.has(batch.approval) ? { ...batch, approvedAt: now } : batch,
      ),
    }
  }

  #historyIn({ directories }: DeletionState): DirectoryHistory {
    return directories.get(this.#task.directory.id) ?? emptyHistory()
  }

  /** Reports what is foreign. If nobody is missing, none can be among its records. */
  async #foreign({ known, sightings }: FirstWalk): Promise<Foreign> {
    const { plural, name } = this.#kind
    const source = this.#pass.config.known[plural]
    let indexes: ReadonlySet<number> = new Set()
    if (source && sightings.missing().length > 0) {
      const shared = await this.#pass.neighbours.sharedBy(source)
      indexes = await foreignIndexes(name, known, sightings.prefixes, shared)
    }
    const ids = [...known.foreign, ...[...indexes].map((index) => known.idAt(index))]
    this.#tellForeign(ids)
    return { indexes, count: ids.length }
  }

  #tellForeign(ids: readonly string[]): void {
    if (ids.length > 0) this.#report.error ??= reported(foreignError(this.#kind.plural, ids))
  }

  /** Walks again, and asks for the organization's directories again, if anything can be decided about the missing. */
  async #find(
    first: FirstWalk,
    state: DeletionState,
    foreign: ReadonlySet<number>,
    now: Instant,
  ): Promise<Found> {
    const sole = state.directories.size === 1
    const looking = { kind: this.#kind.name, batches: state.batches, foreign, sole, now }
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
    noteKnown(history, known.count(isOwn), now)
    const verdict = judgeDeletions(
      {
        directory: this.#task.directory,
        kind: this.#kind.name,
        now,
        missing: missing.records,
        history,
        hasHistory: !loaded.incomplete && (history.judged || dispatcher.guarantee.message !== 'atomic'),
        walks: missing.walks,
        steady: missing.steady && same,
        enabled,
        foreign: foreign.count > 0,
      },
      limits,
      this.#pass.approvals,
    )
    history.judged ||= addsUp(tally)
    countDeletions(history, verdict.unapproved.length, now)
    return verdict
  }

  #batchesAfter({ batches }: Verdict, { records, reviewed }: Missing): HeldBatch[] {
    const placed = records.filter(({ place }) => place !== 'unplaced').map(({ id }) => id)
    return openFirst([...reviewed.batches, ...batches], this.#task.directory.id, new Set(placed))
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
      ids: recordList(ids).ids,
    })
  }

  /** Takes back the counts of what was not deleted, and takes what was out of its batch. */
  async #settle(
    { approved, unapproved }: Verdict,
    written: LoadedState,
    state: DeletionState,
    results: ReadonlyMap<string, Result>,
    now: Instant,
  ): Promise<void> {
    const isApplied = (id: string) => results.get(id) === 'applied'
    const notApplied = unapproved.filter((id) => !isApplied(id)).length
    countDeletions(this.#historyIn(state), -notApplied, now)
    // A newer event was applied to a stale one: it is not held any longer either.
    const gone = [...approved, ...unapproved].filter((id) => isApplied(id) || results.get(id) === 'stale')
    await this.#store.replace(this.#scope, written, { ...state, batches: withoutIds(state.batches, gone) })
  }

  async #delete(ids: readonly string[], observedAt: Instant): Promise<ReadonlyMap<string, Result>> {
    const { directory } = this.#task
    const results = new Map<string, Result>()
    const batch = this.#pass.application.open(this.#pass, directory.id)
    // As with other events of the sync: if somebody comes back, their webhook wins over clocks that differ.
    const occurredAt = plusSeconds(observedAt, -syncMarginSeconds)
    const ended = (id: string) => (result: Result) => {
      results.set(id, result)
      this.#results.add(id, 'deleted', result)
      if (result === 'applied' && !this.#pass.dryRun) this.#logDeletion(id)
    }
    try {
      for (const id of ids) {
        const event = this.#kind.deletedEvent(directory, id, occurredAt)
        await batch.add(event, { observedAt, ended: ended(id) })
      }
    } finally {
      await batch.drained()
    }
    return results
  }

  #logDeletion(resourceId: string): void {
    const { organizationId, id: directoryId } = this.#task.directory
    this.#pass.config.log.info(
      { organizationId, directoryId, kind: this.#kind.name, resourceId },
      'the sync deleted a record that its directory does not list any more',
    )
  }
}

function noteDirectories(directories: Map<string, DirectoryHistory>, ids: Iterable<string>): void {
  for (const id of ids) if (!directories.has(id)) directories.set(id, emptyHistory())
}

/** Whether anything waits for the next pass, rather than for a person. */
function isUndecided({ held }: Verdict, now: Instant): boolean {
  return held.some(({ reason, batch }) =>
    batch ? isApproved(batch, now) : reason === 'unsettled' || reason === 'directory-disabled',
  )
}
