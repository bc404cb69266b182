import { formatInstant, type Instant, omitUndefined, plusSeconds } from '@scalekit-scim/core/internal'
import type { Known } from '../known/known-record.ts'
import type { KnownRecords } from '../known/known-records.ts'
import { readKnown } from '../known/read-known.ts'
import { type Page, recordPages } from '../reading/pages.ts'
import type { Kind } from '../reading/records.ts'
import { retrying } from '../reading/retrying.ts'
import type { DirectoryRecorder } from '../reporting/directory-recorder.ts'
import type { DirectoryTask } from './discovery.ts'
import { apiCalls, type PassContext, storeTime } from './pass-context.ts'

/** Reads one directory from the API, and its records from the application. */
export class DirectoryReader {
  readonly #pass: PassContext
  readonly #task: DirectoryTask
  readonly #recorder: DirectoryRecorder

  constructor(pass: PassContext, task: DirectoryTask, recorder: DirectoryRecorder) {
    this.#pass = pass
    this.#task = task
    this.#recorder = recorder
  }

  /** All pages, or in an incremental pass those with the changes since the last pass. */
  async *pages(kind: Kind): AsyncGenerator<Page<{ id: string }, Instant>, void> {
    const { config, progress } = this.#pass
    const pages = recordPages(kind, config.scalekit, this.#task.directory, {
      ...this.#calls,
      ...omitUndefined({ updatedAfter: this.#updatedAfter }),
      observe: () => storeTime(this.#pass),
    })
    let isFirst = true
    for await (const page of pages) {
      if (isFirst) progress.totalSize += page.totalSize
      isFirst = false
      yield page
      progress.seen += page.items.length
      this.#pass.reportProgress()
    }
  }

  async known(source: Known | undefined): Promise<KnownRecords | undefined> {
    const { signal, config } = this.#pass
    const { directory, isOthers } = this.#task
    return source && readKnown(source, directory, isOthers, { signal, clock: config.clock })
  }

  /**
   * Called after the walks. A directory that was disabled meanwhile may list nobody, and a missing user may be in a
   * directory that the customer has connected since.
   */
  async directoriesNow(): Promise<{ enabled: boolean; ids: ReadonlySet<string> }> {
    const { organizationId, id } = this.#task.directory
    const list = () => this.#pass.config.scalekit.directory.listDirectories(organizationId)
    const { directories } = await retrying(list, this.#calls)
    return {
      enabled: directories.some((directory) => directory.id === id && directory.enabled),
      ids: new Set(directories.map(({ id }) => id)),
    }
  }

  get #updatedAfter(): string | undefined {
    const { milestones } = this.#task
    if (this.#recorder.report.mode === 'full' || !milestones) return undefined
    return formatInstant(plusSeconds(milestones.startedAt, -this.#pass.config.overlapSeconds))
  }

  get #calls() {
    return apiCalls(this.#pass, () => this.#recorder.retried())
  }
}
