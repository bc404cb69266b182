import type { Instant } from '@scalekit-scim/core'
import type { Batch } from './applying.ts'
import { differenceOf } from './difference.ts'
import { DirectoryReader } from './directory-reader.ts'
import type { DirectoryTask } from './directory-task.ts'
import { addsUp, judgeDeletions, type WalkTally } from './gate.ts'
import { groupKind, type Kind, userKind } from './kinds.ts'
import { type KnownRecords, Sightings } from './known.ts'
import type { Page } from './pages.ts'
import { type PassContext, storeTime } from './pass-context.ts'
import { never, writeMilestones } from './progress.ts'
import type { GroupRecord, UserRecord } from './records.ts'
import { type DirectoryReport, type HeldReason, reported } from './report.ts'
import { SyncError } from './sync-error.ts'
import { walk } from './walk.ts'

/** What a first walk leaves to find the deletions with. */
interface FirstWalk {
  known: KnownRecords
  sightings: Sightings
  tally: WalkTally
  /** The store's time before it: whatever was applied since is newer than what it found missing. */
  observedAt: Instant
}

/** What nobody can settle by looking again: who is in which directory. */
const lasting: ReadonlySet<HeldReason> = new Set(['directory-removed', 'several-directories'])

/** So many of what is held are named in the report. */
const namedAtMost = 1000

/** One directory: groups, then users, and then, of a full pass, what is not there any more. */
export class DirectoryPass {
  readonly #pass: PassContext
  readonly #task: DirectoryTask
  readonly #report: DirectoryReport
  readonly #reader: DirectoryReader
  /** Whether changes may have been missed, so that the next pass must not go on from this one. */
  #short = false

  constructor(pass: PassContext, task: DirectoryTask, report: DirectoryReport) {
    this.#pass = pass
    this.#task = task
    this.#report = report
    this.#reader = new DirectoryReader(pass, task, report)
  }

  /** Leaves in the report what happened, and does not reject. */
  async run(): Promise<void> {
    const { clock } = this.#pass.config
    const startedMs = clock.monotonic()
    await this.#attempt(() => this.#steps())
    this.#report.durationMs = clock.monotonic() - startedMs
  }

  async #steps(): Promise<void> {
    const startedAt = await storeTime(this.#pass)
    // Groups that cannot be read are no reason to keep people who were dismissed.
    const groups = await this.#attempt(() => this.#bring(groupKind))
    const users = await this.#attempt(() => this.#bring(userKind))
    if (users) await this.#attempt(() => this.#remove(userKind, users))
    if (groups) await this.#attempt(() => this.#remove(groupKind, groups))
    this.#pass.signal.throwIfAborted()
    if (!this.#report.error && !this.#pass.dryRun) await this.#complete(startedAt)
  }

  /** The first error is the one that is reported; the pass's own end is the end of all. */
  async #attempt<Result>(step: () => Promise<Result>): Promise<Result | undefined> {
    try {
      this.#pass.signal.throwIfAborted()
      return await step()
    } catch (error) {
      this.#report.error ??= reported(error)
      return undefined
    }
  }

  /** Walks all records, or those that changed, and applies what differs. */
  async #bring<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
  ): Promise<FirstWalk | undefined> {
    const { signal, application, config } = this.#pass
    const { mode } = this.#report
    const source = config.known[kind.plural]
    // Read to its end before the walk: who joins after that is no candidate.
    let known = mode === 'full' ? await this.#reader.known(source) : undefined
    const sightings = known && known.size > 0 ? new Sightings(known) : undefined
    const observedAt = await storeTime(this.#pass)
    const batch = application.open(this.#pass, this.#task.directory.id)
    let tally: WalkTally
    try {
      tally = await walk(this.#reader.pages(kind), sightings, async (page) => {
        // Most directories have no changes at most times: what is known of them need not be asked.
        if (page.items.length > 0) known ??= await this.#reader.known(source)
        await this.#apply(kind, page, known, batch)
      })
    } finally {
      await batch.drained()
    }
    signal.throwIfAborted()
    if (tally.short) this.#fallShort(kind)
    return known && sightings && { known, sightings, tally, observedAt }
  }

  /**
   * A full walk that brings fewer than there are is an error. Of an incremental one it is not sure that the API counts
   * what has changed, and not all that there are: it is followed by a full one.
   */
  #fallShort({ plural }: { plural: string }): void {
    this.#short = true
    if (this.#report.mode === 'incremental') return
    const error = new SyncError(
      'ERR_SCIM_WALK_SHORT',
      `the API listed fewer ${plural} than it says that there are`,
    )
    this.#report.error ??= reported(error)
  }

  async #apply<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    page: Page<Item, Instant>,
    known: KnownRecords | undefined,
    batch: Batch,
  ): Promise<void> {
    const counts = this.#report[kind.plural]
    const records = page.items.map((item) => ({ item, compared: kind.compared(item) }))
    await this.#pass.clocks.heed(
      records.map(({ compared }) => compared),
      page.observedAt,
    )
    for (const { item, compared } of records) {
      counts.seen++
      const change = differenceOf(compared, known, this.#task.sole)
      if (change === 'unchanged') {
        counts.unchanged++
        continue
      }
      const told = change === 'repeated' ? 'updated' : change
      const event = kind.event(kind.record(item, this.#task.directory), told)
      await batch.add(event, change, page.observedAt, counts)
    }
  }

  /** Deletes what two walks have not seen, as far as the gate lets it. */
  async #remove<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    { known, sightings, tally, observedAt }: FirstWalk,
  ): Promise<void> {
    const { directory } = this.#task
    let missing = sightings.missing()
    if (missing.length === 0) return

    let walks: readonly [WalkTally] | readonly [WalkTally, WalkTally] = [tally]
    let steady = false
    if (addsUp(tally)) {
      const again = new Sightings(known)
      walks = [tally, await walk(this.#reader.pages(kind), again, () => this.#pass.mayGoOn())]
      steady = again.covers(sightings)
      missing = again.missing(sightings)
      if (missing.length === 0) return
    }
    const { enabled, same } = await this.#reader.directoriesNow()
    const isOwn = (index: number) => known.isPlaced(index) || (this.#task.sole && !known.isOfRemoved(index))
    const idsOf = (indexes: number[]) => indexes.map((index) => known.idAt(index))
    const verdict = judgeDeletions(
      {
        directory,
        kind: kind.name,
        known: known.count(isOwn),
        candidates: idsOf(missing.filter(isOwn)),
        unplaced: idsOf(missing.filter((index) => !isOwn(index) && !known.isOfRemoved(index))),
        ofRemoved: idsOf(missing.filter((index) => known.isOfRemoved(index))),
        walks,
        steady: steady && same,
        enabled,
      },
      this.#pass.config.limits,
      this.#pass.approvals,
    )

    const counts = this.#report[kind.plural]
    for (const { ids, ...held } of verdict.held) {
      counts.held += ids.length
      this.#report.held.push({
        kind: kind.name,
        ...held,
        count: ids.length,
        ids: [...ids].sort().slice(0, namedAtMost),
      })
    }
    for (const approval of verdict.approvals) this.#pass.approvalsUsed.add(approval)
    const batch = this.#pass.application.open(this.#pass, directory.id)
    try {
      for (const id of verdict.apply) {
        await batch.add(kind.deletedEvent(directory, id, observedAt), 'deleted', observedAt, counts)
      }
    } finally {
      await batch.drained()
    }
  }

  /**
   * An event that failed is brought again by the next pass. Of an incremental one that goes on from where the last pass
   * without a failure began; of a full one it may have changed long before, or be a deletion, and the next is full too.
   * Deletions that are held are looked for again by a full one, until they are settled.
   */
  async #complete(startedAt: Instant): Promise<void> {
    const { directory, milestones } = this.#task
    const { users, groups, mode, held } = this.#report
    const failed = users.failed + groups.failed > 0
    const unsettled =
      this.#short || (mode === 'full' && failed) || held.some(({ reason }) => !lasting.has(reason))
    const fullStartedAt = mode === 'full' ? startedAt : (milestones?.fullStartedAt ?? never)
    await writeMilestones(this.#pass.config.dispatcher.ledger, directory, {
      completedAt: await storeTime(this.#pass),
      startedAt: failed ? (milestones?.startedAt ?? never) : startedAt,
      fullStartedAt: unsettled ? never : fullStartedAt,
    })
  }
}
