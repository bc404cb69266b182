import { formatInstant, type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import type { DirectoryTask } from './directory-task.ts'
import type { Kind } from './kinds.ts'
import { type Known, type KnownRecords, readKnown } from './known.ts'
import type { Page } from './pages.ts'
import { apiCalls, type PassContext, storeTime } from './pass-context.ts'
import type { GroupRecord, UserRecord } from './records.ts'
import type { DirectoryReport } from './report.ts'
import { retrying } from './retrying.ts'

/** What a pass asks about one directory: the API, and the application. */
export class DirectoryReader {
  readonly #pass: PassContext
  readonly #task: DirectoryTask
  readonly #report: DirectoryReport

  constructor(pass: PassContext, task: DirectoryTask, report: DirectoryReport) {
    this.#pass = pass
    this.#task = task
    this.#report = report
  }

  /** From the first page to the last; of an incremental pass, of what changed since the last one. */
  async *pages<Item extends { id: string }, DirectoryRecord extends UserRecord | GroupRecord>(
    kind: Kind<Item, DirectoryRecord>,
  ): AsyncGenerator<Page<Item, Instant>, void> {
    const { config, progress, progressed } = this.#pass
    const pages = kind.pages(config.scalekit, this.#task.directory, {
      ...this.#calls,
      updatedAfter: this.#updatedAfter,
      observe: () => storeTime(this.#pass),
    })
    let first = true
    for await (const page of pages) {
      if (first) progress.totalSize += page.totalSize
      first = false
      yield page
      progress.seen += page.items.length
      progressed()
    }
  }

  async known(source: Known | undefined): Promise<KnownRecords | undefined> {
    const { signal, config } = this.#pass
    return (
      source && readKnown(source, this.#task.directory, this.#task.isOthers, { signal, clock: config.clock })
    )
  }

  /**
   * Asked after the walks: a directory that was disabled meanwhile may list nobody, and somebody who is missing here may
   * be in a directory that the customer has connected since.
   */
  async directoriesNow(): Promise<{ enabled: boolean; ids: ReadonlySet<string> }> {
    const { directory } = this.#task
    const { scalekit } = this.#pass.config
    const now = await retrying(
      () => scalekit.directory.listDirectories(directory.organizationId),
      this.#calls,
    )
    return {
      enabled: now.directories.some(({ id, enabled }) => id === directory.id && enabled),
      ids: new Set(now.directories.map(({ id }) => id)),
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
}
