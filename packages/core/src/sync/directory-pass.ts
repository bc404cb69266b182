import type { Instant } from '@scalekit-scim/core/internal'
import type { Batch } from './applying.ts'
import { addsUp } from './deletions/judgement.ts'
import type { FirstWalk, Siblings } from './deletions/missing.ts'
import { Removal } from './deletions/removal.ts'
import { differenceOf } from './difference.ts'
import { DirectoryReader } from './directory-reader.ts'
import type { DirectoryTask } from './directory-task.ts'
import { afterFullPass, brokenPass, type Failed, mustTryAgain, noFailures } from './failures.ts'
import { groupKind, type Kind, userKind } from './kinds.ts'
import { type KnownRecords, Sightings } from './known.ts'
import type { Page } from './pages.ts'
import { type PassContext, storeTime } from './pass-context.ts'
import { never, noMilestones, writeMilestones } from './progress.ts'
import type { GroupRecord, UserRecord } from './records.ts'
import { type DirectoryReport, type RecordList, reported } from './report.ts'
import { Results } from './results.ts'
import { SyncError } from './sync-error.ts'
import { type WalkTally, walk } from './walk.ts'

/** One directory: groups, then users; and then, in a full pass, what is not there any more. */
export class DirectoryPass {
  readonly task: DirectoryTask
  readonly report: DirectoryReport
  readonly #pass: PassContext
  readonly #hasSiblings: boolean
  readonly #reader: DirectoryReader
  readonly #users: Results
  readonly #groups: Results
  #startedAt: Instant | undefined
  #broughtUsers: Brought | undefined
  #broughtGroups: Brought | undefined
  /** Whether the pass could not do all that it was to do, so that the next one must not go on from it. */
  #broken = false
  /** Whether changes may have been missed, or deletions could not be decided: the next pass is a full one. */
  #mustLookAgain = false

  /** @param hasSiblings whether the organization has other directories that are read in this pass */
  constructor(pass: PassContext, task: DirectoryTask, report: DirectoryReport, hasSiblings: boolean) {
    this.#pass = pass
    this.task = task
    this.report = report
    this.#hasSiblings = hasSiblings
    this.#reader = new DirectoryReader(pass, task, report)
    this.#users = new Results(report.users)
    this.#groups = new Results(report.groups)
  }

  /** Leaves in the report what happened, and does not reject. */
  bring(): Promise<void> {
    return this.#timed(async () => {
      this.#startedAt = await storeTime(this.#pass)
      // Groups that cannot be read are no reason to keep people who were dismissed.
      this.#broughtGroups = await this.#attempt(() => this.#bring(groupKind, this.#groups))
      this.#broughtUsers = await this.#attempt(() => this.#bring(userKind, this.#users))
    })
  }

  /** After `bring` of all directories of the organization. Leaves in the report what happened, and does not reject. */
  async remove(siblings: readonly DirectoryPass[]): Promise<void> {
    await this.#timed(async () => {
      const [groups, users] = [this.#broughtGroups, this.#broughtUsers]
      const beside = { users: siblingsOf('user', siblings), groups: siblingsOf('group', siblings) }
      if (users) await this.#attempt(() => this.#remove(userKind, this.#users, users, beside.users))
      if (groups) await this.#attempt(() => this.#remove(groupKind, this.#groups, groups, beside.groups))
      this.#pass.signal.throwIfAborted()
      if (this.#pass.dryRun || !this.#startedAt) return
      if (this.#broken) await this.#noteBroken()
      else await this.#complete(this.#startedAt)
    })
    this.#tellRecords()
  }

  /** The walk of everything, if there was one. */
  walked(kind: 'user' | 'group'): Walked | undefined {
    const brought = kind === 'user' ? this.#broughtUsers : this.#broughtGroups
    if (brought?.mode === 'full') return brought.first
    return brought?.mode === 'empty' ? brought.walked : undefined
  }

  async #timed(step: () => Promise<void>): Promise<void> {
    const { clock } = this.#pass.config
    const startedMs = clock.monotonic()
    await this.#attempt(step)
    this.report.durationMs += clock.monotonic() - startedMs
  }

  /** The first error is the one that is reported; the pass's own end is the end of all. */
  async #attempt<Result>(step: () => Promise<Result>): Promise<Result | undefined> {
    try {
      this.#pass.signal.throwIfAborted()
      return await step()
    } catch (error) {
      this.#broken = true
      this.report.error ??= reported(error)
      return undefined
    }
  }

  /** Walks all records, or those that changed, and applies what differs. */
  async #bring<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    results: Results,
  ): Promise<Brought | undefined> {
    const { signal, application, config } = this.#pass
    const { mode } = this.report
    const source = config.known[kind.plural]
    const observedAt = await storeTime(this.#pass)
    // Read to its end before the walk: who joins after that is no candidate.
    let known = mode === 'full' ? await this.#reader.known(source) : undefined
    // Its ids take memory, so an application that has nothing yet goes without, unless a sibling needs them.
    const sightings = known && (known.size > 0 || this.#hasSiblings) ? new Sightings(known) : undefined
    const batch = application.open(this.#pass, this.task.directory.id)
    let tally: WalkTally
    try {
      tally = await walk(this.#reader.pages(kind), sightings, async (page) => {
        // Most directories have no changes at most times: what is known of them need not be asked.
        if (page.items.length > 0) known ??= await this.#reader.known(source)
        await this.#apply(kind, page, { known, batch, results })
      })
    } finally {
      await batch.drained()
    }
    signal.throwIfAborted()
    if (tally.short) this.#fallShort(kind)
    if (!source) return undefined
    if (mode === 'incremental' || !known) return { mode: 'incremental' }
    const walked = sightings && { sightings, tally }
    return walked && known.size > 0
      ? { mode, first: { known, observedAt, ...walked } }
      : { mode: 'empty', known, walked, startedAt: observedAt }
  }

  /**
   * A full walk that brings fewer than there are is an error. Of an incremental one it is not sure that the API counts
   * what has changed, and not all that there are: it is followed by a full one.
   */
  #fallShort({ plural }: { plural: string }): void {
    this.#mustLookAgain = true
    if (this.report.mode === 'incremental') return
    this.#broken = true
    const error = new SyncError(
      'ERR_SCIM_WALK_SHORT',
      `the API listed fewer ${plural} than it says that there are`,
    )
    this.report.error ??= reported(error)
  }

  async #apply<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    page: Page<Item, Instant>,
    { known, batch, results }: { known: KnownRecords | undefined; batch: Batch; results: Results },
  ): Promise<void> {
    const { counts } = results
    const records = page.items.map((item) => ({ item, compared: kind.compared(item) }))
    await this.#pass.clocks.heed(
      records.map(({ compared }) => compared),
      page.observedAt,
    )
    for (const { item, compared } of records) {
      counts.seen++
      const change = differenceOf(compared, known)
      if (change === 'unchanged') {
        counts.unchanged++
        continue
      }
      const told = change === 'repeated' ? 'updated' : change
      const event = kind.event(kind.record(item, this.task.directory), told)
      const deactivates = known !== undefined && 'active' in event.data && event.data.active === false
      await batch.add(event, {
        observedAt: page.observedAt,
        ended: (result) => {
          results.add(compared.id, change, result)
          if (deactivates && result === 'applied' && change !== 'repeated')
            results.deactivated.add(compared.id)
        },
      })
    }
  }

  /** Deletes what two walks have not seen, as far as that is safe. */
  async #remove<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    results: Results,
    brought: Brought,
    siblings: Siblings,
  ): Promise<void> {
    const parts = { pass: this.#pass, task: this.task, report: this.report, reader: this.#reader, siblings }
    const removal = new Removal(parts, kind, results)
    if (brought.mode === 'incremental') return removal.tellHeldBefore()
    if (brought.mode === 'empty') return removal.runEmpty(brought.known, brought.startedAt)
    if (await removal.run(brought.first)) this.#mustLookAgain = true
  }

  /**
   * An event that failed is brought again by the next pass. After an incremental pass, the next one goes on from the same
   * place. After a full pass the next is full too, because the change may be old, or a deletion. So it is when deletions
   * could not be decided. What has failed in several full passes in a row waits for the next scheduled one.
   */
  async #complete(startedAt: Instant): Promise<void> {
    const { directory, milestones } = this.task
    const { mode } = this.report
    const isFull = mode === 'full'
    const before = milestones?.failures ?? noFailures
    const open = this.#unfinished()
    const failures = isFull ? afterFullPass(before, open) : before
    const again = mustTryAgain(failures, open)
    const fullStartedAt = isFull ? startedAt : (milestones?.fullStartedAt ?? never)
    await writeMilestones(this.#pass.config.dispatcher.ledger, directory, {
      completedAt: await storeTime(this.#pass),
      startedAt: again ? (milestones?.startedAt ?? never) : startedAt,
      fullStartedAt: again && (isFull || this.#mustLookAgain) ? never : fullStartedAt,
      failures,
    })
  }

  /** Nothing moves on. How often it was so tells whether the organization's other directories are read whole for it. */
  async #noteBroken(): Promise<void> {
    if (this.report.mode === 'incremental') return
    const { directory, milestones } = this.task
    const { failures = noFailures, ...before } = milestones ?? noMilestones
    await writeMilestones(this.#pass.config.dispatcher.ledger, directory, {
      ...before,
      failures: afterFullPass(failures, brokenPass),
    })
  }

  /** What failed, by its id, and what could not be decided. */
  #unfinished(): Failed {
    const undecided = this.#mustLookAgain ? ['undecided'] : []
    const [users, groups] = [this.#users.failed, this.#groups.failed]
    return {
      count: users.count + groups.count + undecided.length,
      ids: [...undecided, ...users.ids, ...groups.ids],
    }
  }

  #tellRecords(): void {
    const [users, groups] = [this.#users, this.#groups]
    this.report.deleted = { users: listOf(users.deleted), groups: listOf(groups.deleted) }
    this.report.failed = { users: listOf(users.failed), groups: listOf(groups.failed) }
    const { maxCount, maxShare } = this.#pass.config.limits
    const atMost = Math.max(maxCount, maxShare * this.report.users.seen)
    const deactivated = listOf(users.deactivated)
    this.report.deactivated = { ...deactivated, overLimits: deactivated.count > atMost }
  }
}

type Walked = Pick<FirstWalk, 'sightings' | 'tally'>

/** What `#bring` leaves to `#remove`: nothing if the application does not say what it has. */
type Brought =
  | { mode: 'full'; first: FirstWalk }
  /** The application has nothing of the directory yet. */
  | { mode: 'empty'; known: KnownRecords; walked: Walked | undefined; startedAt: Instant }
  | { mode: 'incremental' }

function siblingsOf(kind: 'user' | 'group', siblings: readonly DirectoryPass[]): Siblings {
  const first = siblings.flatMap((sibling) => sibling.walked(kind) ?? [])
  return {
    walks: first.map(({ sightings }) => sightings),
    complete: first.length === siblings.length && first.every(({ tally }) => addsUp(tally)),
  }
}

function listOf({ count, ids }: RecordList): RecordList {
  return { count, ids: [...ids] }
}
