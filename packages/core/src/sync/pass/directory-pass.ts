import type { Instant } from '@scalekit-scim/core/internal'
import { EventBatch } from '../applying/event-batch.ts'
import { addsUp } from '../deletions/decision.ts'
import type { Siblings } from '../deletions/missing.ts'
import { differenceOf, type KnownRecords } from '../known/known-records.ts'
import { ListedIds } from '../known/listed-ids.ts'
import { readKnown } from '../known/read-known.ts'
import { type Page, type WalkTally, walk } from '../reading/pages.ts'
import { earliestInstant, groupKind, type Kind, userKind } from '../reading/records.ts'
import { addId, noteEvent } from '../reporting/directory-report.ts'
import type { RecordList } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { SyncError } from '../sync-error.ts'
import { type DirectoryContext, directoryPages } from './directories.ts'
import { DirectoryDeletions, type FullWalk } from './directory-deletions.ts'
import { afterFullPass, brokenPass, mustRetry, noMilestones, writeMilestones } from './milestones.ts'

/**
 * The pass over one directory. The pass first updates groups and then users. A full pass then deletes the missing
 * records.
 */
export class DirectoryPass {
  readonly context: DirectoryContext
  readonly #hasSiblings: boolean
  readonly #walked = new Map<Kind, Walked | 'incremental'>()
  #startedAt: Instant | undefined
  /** Whether an error ended a part of the pass. If `true`, the next pass must read the same changes again. */
  #isBroken = false
  /**
   * Whether the pass may have missed changes, or could not decide all deletions. If `true`, the next pass is a full
   * pass.
   */
  #isUndecided = false

  /** @param hasSiblings whether the pass reads other directories of the organization */
  constructor(context: DirectoryContext, hasSiblings: boolean) {
    this.context = context
    this.#hasSiblings = hasSiblings
  }

  /**
   * Applies the differences between the directory and the application. Does not reject: the report contains the errors.
   */
  update(): Promise<void> {
    return this.#timed(async () => {
      this.#startedAt = await this.context.pass.storeTime()
      // If the pass cannot read the groups, it can still remove users who have left.
      await this.#attempt(() => this.#update(groupKind))
      await this.#attempt(() => this.#update(userKind))
    })
  }

  /**
   * Deletes the missing records. Call `update` first, for each directory of the organization. Does not reject: the
   * report contains the errors.
   */
  async deleteMissing(siblings: readonly DirectoryPass[]): Promise<void> {
    await this.#timed(async () => {
      for (const kind of [userKind, groupKind]) {
        const walked = this.#walked.get(kind)
        if (walked) await this.#attempt(() => this.#delete(kind, walked, siblingsOf(kind, siblings)))
      }
      this.context.pass.signal.throwIfAborted()
      if (this.#startedAt && !this.context.pass.dryRun) await this.#saveMilestones(this.#startedAt)
    })
    const { maxCount, maxShare } = this.context.pass.config.limits
    const { deactivated, users } = this.context.report
    deactivated.overLimits = deactivated.count > Math.max(maxCount, maxShare * users.seen)
  }

  /** The full walk over the records of a kind, or `undefined` without a full walk. */
  fullWalk(kind: Kind): Walked | undefined {
    const walked = this.#walked.get(kind)
    return walked === 'incremental' ? undefined : walked
  }

  async #timed(step: () => Promise<void>): Promise<void> {
    const { clock } = this.context.pass.config
    const startedMs = clock.monotonic()
    await this.#attempt(step)
    this.context.report.durationMs += clock.monotonic() - startedMs
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      this.context.pass.signal.throwIfAborted()
      await step()
    } catch (error) {
      this.#isBroken = true
      this.context.report.error ??= reported(error)
    }
  }

  /** Walks over all records. In an incremental pass, walks over the changed records. Applies the differences. */
  async #update(kind: Kind): Promise<void> {
    const { pass, task, report } = this.context
    const { signal, config } = pass
    const { mode } = report
    const { directory, belongsToOtherPass } = task
    const source = config.known[kind.plural]
    const observedAt = await pass.storeTime()
    const readAll = async () =>
      source && readKnown(source, directory, belongsToOtherPass, { signal, clock: config.clock })
    // The pass reads `known` before the walk, because a user who joins between the walk and a later reading of `known`
    // would count as missing.
    let known = mode === 'full' ? await readAll() : undefined
    // The listed ids take memory. If the application does not have records yet, only the passes over the organization's
    // other directories use the ids.
    const listed = known && (known.size > 0 || this.#hasSiblings) ? new ListedIds(known) : undefined
    const batch = new EventBatch(pass)
    let tally: WalkTally
    try {
      tally = await walk(directoryPages(this.context, kind), listed, async (page) => {
        // Most incremental passes do not find changes, so they do not need `known`.
        if (page.items.length > 0) known ??= await readAll()
        await this.#apply(kind, page, known, batch)
      })
    } finally {
      await batch.drained()
    }
    signal.throwIfAborted()
    const walked = mode === 'full' && known ? { known, observedAt, listed, tally } : 'incremental'
    if (source) this.#walked.set(kind, walked)
    if (!tally.short) return
    this.#isUndecided = true
    // In an incremental walk, the API can report the total of all records instead of the changed records. So a low
    // number of records is not an error, but the next pass is full.
    if (mode === 'incremental') return
    throw new SyncError('ERR_SCIM_WALK_SHORT', `the API listed fewer ${kind.plural} than it reported`)
  }

  async #apply(
    kind: Kind,
    { items, observedAt }: Page,
    known: KnownRecords | undefined,
    batch: EventBatch,
  ): Promise<void> {
    const { plural } = kind
    const { pass, task, report } = this.context
    const records = items.map((item) => ({ item, compared: kind.compared(item) }))
    const compared = records.map(({ compared }) => compared)
    await pass.clocks.check(compared, observedAt)
    for (const { item, compared } of records) {
      report[plural].seen++
      const difference = differenceOf(compared, known)
      if (difference === 'unchanged') {
        report[plural].unchanged++
        continue
      }
      const record = kind.record(item, task.directory, true)
      const event = kind.event(record, difference === 'created' ? 'created' : 'updated')
      const deactivates =
        known && difference !== 'repeated' && 'active' in event.data && event.data.active === false
      await batch.add({
        event,
        observedAt,
        directoryId: task.directory.id,
        ended: (result) => {
          noteEvent(report, plural, compared.id, difference, result)
          if (deactivates && result === 'applied') addId(report.deactivated, compared.id)
        },
      })
    }
  }

  async #delete(kind: Kind, walked: Walked | 'incremental', siblings: Siblings): Promise<void> {
    const deletions = new DirectoryDeletions(this.context, kind, siblings)
    if (walked === 'incremental') return deletions.reportHeldBefore()
    const { known, observedAt, listed, tally } = walked
    if (known.size === 0 || !listed) return deletions.runEmpty(known, observedAt)
    if (await deletions.run({ known, observedAt, listed, tally })) this.#isUndecided = true
  }

  /**
   * Stores the milestones. The next pass retries failed events:
   * - After an incremental pass, the next pass reads changes since the same time again.
   * - After a full pass, the next pass is also full, because the failed event can be an old change or a deletion.
   *   Undecided deletions have the same effect.
   * - Events that failed in several consecutive full passes wait for the next scheduled full pass.
   *
   * A full pass that did not end normally changes only the number of failures. The first few consecutive failures also
   * cause full passes over the organization's other directories. Later failures affect only this directory.
   */
  async #saveMilestones(startedAt: Instant): Promise<void> {
    const { pass, task, report } = this.context
    const { directory, milestones = noMilestones } = task
    const isFull = report.mode === 'full'
    if (this.#isBroken && !isFull) return
    const failed = this.#isBroken ? brokenPass : this.#unfinished()
    const failures = isFull ? afterFullPass(milestones.failures, failed) : milestones.failures
    const retry = mustRetry(failures, failed)
    const fullStartedAt = isFull ? startedAt : milestones.fullStartedAt
    const progress = !this.#isBroken && {
      completedAt: await pass.storeTime(),
      startedAt: retry ? milestones.startedAt : startedAt,
      fullStartedAt: retry && (isFull || this.#isUndecided) ? earliestInstant : fullStartedAt,
    }
    const next = { ...milestones, ...progress, failures }
    await writeMilestones(pass.config.dispatcher.ledger, directory, next)
  }

  /** The ids of failed records. Undecided deletions count as one failed record. */
  #unfinished(): RecordList {
    const undecided = this.#isUndecided ? ['undecided'] : []
    const { users, groups } = this.context.report.failed
    return {
      count: users.count + groups.count + undecided.length,
      ids: [...undecided, ...users.ids, ...groups.ids],
    }
  }
}

/**
 * The full walk over the records of one kind. If no other code needs the listed ids, the walk does not collect them.
 */
type Walked = Omit<FullWalk, 'listed'> & { listed: ListedIds | undefined }

function siblingsOf(kind: Kind, siblings: readonly DirectoryPass[]): Siblings {
  const walks = siblings.map((sibling) => sibling.fullWalk(kind))
  return {
    walks: walks.flatMap((walk) => walk?.listed ?? []),
    complete: walks.every((walk) => walk?.listed && addsUp(walk.tally)),
  }
}
