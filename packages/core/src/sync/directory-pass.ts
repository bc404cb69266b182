import { formatInstant, type Instant, plusSeconds } from '@scalekit-scim/core'
import type { Batch } from './applying.ts'
import { differenceOf } from './difference.ts'
import { addsUp, judgeDeletions, type WalkTally } from './gate.ts'
import { groupKind, type Kind, userKind } from './kinds.ts'
import { type Known, type KnownRecords, readKnown, Sightings } from './known.ts'
import type { Page } from './pages.ts'
import { apiCalls, type PassContext, storeTime } from './pass-context.ts'
import { type Milestones, writeMilestones } from './progress.ts'
import type { DirectoryRef, GroupRecord, UserRecord } from './records.ts'
import { type DirectoryReport, noCounts, reported } from './report.ts'
import { retrying } from './retrying.ts'
import { walk } from './walk.ts'

export interface DirectoryTask {
  directory: DirectoryRef
  /** Whether the organization has no other directory, enabled or not. */
  sole: boolean
  milestones: Milestones | undefined
}

/** What a first walk leaves to find the deletions with. */
interface FirstWalk {
  known: KnownRecords
  sightings: Sightings
  tally: WalkTally
  /** The store's time before it: whatever was applied since is newer than what it found missing. */
  observedAt: Instant
}

const never: Instant = '0'.repeat(19)
/** So many of what is held are named in the report. */
const namedAtMost = 1000

/** One directory: groups, then users, and then, of a full pass, what is not there any more. */
export class DirectoryPass {
  readonly #pass: PassContext
  readonly #task: DirectoryTask
  readonly #report: DirectoryReport
  /** Whether a walk did not add up, so that the next pass has to look again. */
  #unsettled = false

  constructor(pass: PassContext, task: DirectoryTask, report: DirectoryReport) {
    this.#pass = pass
    this.#task = task
    this.#report = report
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
    let known = mode === 'full' ? await this.#known(source) : undefined
    const sightings = known && known.size > 0 ? new Sightings(known) : undefined
    const observedAt = await storeTime(this.#pass)
    const batch = application.open(signal, this.#pass.mayGoOn)
    let tally: WalkTally
    try {
      tally = await walk(this.#pages(kind), sightings, async (page) => {
        // Most directories have no changes at most times: what is known of them need not be asked.
        if (page.items.length > 0) known ??= await this.#known(source)
        await this.#apply(kind, page, known, batch)
      })
    } finally {
      await batch.drained()
    }
    signal.throwIfAborted()
    return known && sightings && { known, sightings, tally, observedAt }
  }

  async #apply<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    page: Page<Item, Instant>,
    known: KnownRecords | undefined,
    batch: Batch,
  ): Promise<void> {
    const counts = this.#report[kind.plural]
    for (const item of page.items) {
      counts.seen++
      const record = kind.record(item, this.#task.directory)
      const change = differenceOf(record, known)
      if (change === 'unchanged') counts.unchanged++
      else await batch.add(kind.event(record, change), change, page.observedAt, counts)
    }
  }

  /** Deletes what two walks have not seen, as far as the gate lets it. */
  async #remove<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
    { known, sightings, tally, observedAt }: FirstWalk,
  ): Promise<void> {
    const { directory } = this.#task
    let candidates = sightings.missing()
    if (candidates.length === 0) return

    let walks: readonly [WalkTally] | readonly [WalkTally, WalkTally] = [tally]
    let steady = false
    if (addsUp(tally)) {
      const again = new Sightings(known)
      walks = [tally, await walk(this.#pages(kind), again, () => this.#pass.mayGoOn())]
      steady = again.covers(sightings)
      candidates = again.missing(sightings)
      if (candidates.length === 0) return
    }
    const placed = this.#task.sole || known.placed
    const enabled = await this.#isEnabled()
    const verdict = judgeDeletions(
      { directory, kind: kind.name, known: known.size, placed, candidates, walks, steady, enabled },
      this.#pass.config.limits,
      this.#pass.approvals,
    )

    const counts = this.#report[kind.plural]
    if ('held' in verdict) {
      const { held: reason, approval } = verdict
      this.#unsettled ||= reason === 'unsettled'
      counts.held += candidates.length
      this.#report.held.push({
        kind: kind.name,
        reason,
        count: candidates.length,
        ...(approval === undefined ? {} : { approval }),
        ids: candidates.sort().slice(0, namedAtMost),
      })
      return
    }
    const batch = this.#pass.application.open(this.#pass.signal, this.#pass.mayGoOn)
    try {
      for (const id of verdict.apply) {
        await batch.add(kind.deletedEvent(directory, id, observedAt), 'deleted', observedAt, counts)
      }
    } finally {
      await batch.drained()
    }
  }

  #pages<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
  ): AsyncIterable<Page<Item, Instant>> {
    const { config } = this.#pass
    return this.#watched(
      kind.pages(config.scalekit, this.#task.directory, {
        ...this.#calls,
        updatedAfter: this.#updatedAfter,
        observe: () => storeTime(this.#pass),
      }),
    )
  }

  async *#watched<Item>(
    pages: AsyncIterable<Page<Item, Instant>>,
  ): AsyncGenerator<Page<Item, Instant>, void> {
    const { progress } = this.#pass
    let first = true
    for await (const page of pages) {
      if (first) progress.totalSize += page.totalSize
      first = false
      yield page
      progress.seen += page.items.length
      this.#pass.progressed()
    }
  }

  get #updatedAfter(): string | undefined {
    const { milestones } = this.#task
    if (this.#report.mode === 'full' || !milestones) return undefined
    return formatInstant(plusSeconds(milestones.startedAt, -this.#pass.config.overlapSeconds))
  }

  get #calls() {
    return apiCalls(this.#pass, () => this.#report.retries++)
  }

  async #known(source: Known | undefined): Promise<KnownRecords | undefined> {
    return source && readKnown(source, this.#task.directory, this.#pass.signal)
  }

  /** One that was switched off meanwhile may list nobody. */
  async #isEnabled(): Promise<boolean> {
    const { organizationId, id } = this.#task.directory
    const { scalekit } = this.#pass.config
    const answer = await retrying(() => scalekit.directory.getDirectory(organizationId, id), this.#calls)
    return answer.directory?.enabled === true
  }

  /**
   * An event that failed is brought again by the next pass, since that goes on from where the last one without a
   * failure began; deletions that a moving directory hid are looked for again by a full one.
   */
  async #complete(startedAt: Instant): Promise<void> {
    const { directory, milestones } = this.#task
    const { users, groups, mode } = this.#report
    const failed = users.failed + groups.failed > 0
    const full = mode === 'full' && !this.#unsettled
    await writeMilestones(this.#pass.config.dispatcher.ledger, directory, {
      completedAt: await storeTime(this.#pass),
      startedAt: failed ? (milestones?.startedAt ?? never) : startedAt,
      fullStartedAt: full ? startedAt : (milestones?.fullStartedAt ?? never),
    })
  }
}

/** A directory that no pass has finished is read whole, whatever was asked for. */
export function modeFor(
  { mode, approvals, fullSince }: Pick<PassContext, 'mode' | 'approvals' | 'fullSince'>,
  milestones: Milestones | undefined,
): 'full' | 'incremental' {
  if (mode === 'full' || approvals.size > 0) return 'full'
  if (!milestones || milestones.startedAt === never) return 'full'
  return mode === 'incremental' || milestones.fullStartedAt >= fullSince ? 'incremental' : 'full'
}

export function openDirectoryReport(
  pass: Pick<PassContext, 'mode' | 'approvals' | 'fullSince'>,
  { directory, milestones }: DirectoryTask,
): DirectoryReport {
  return {
    directoryId: directory.id,
    mode: modeFor(pass, milestones),
    users: noCounts(),
    groups: noCounts(),
    held: [],
    retries: 0,
    durationMs: 0,
  }
}
