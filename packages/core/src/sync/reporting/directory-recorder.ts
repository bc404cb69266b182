import type { Kind } from '../reading/records.ts'
import {
  type Deactivations,
  type DirectoryReport,
  type HeldDeletions,
  noCounts,
  type RecordList,
  type ReturnedRecords,
} from './report.ts'
import { reported } from './reported-error.ts'

/** How an event of the sync changes a record. */
export type Change = 'created' | 'updated' | 'deleted' | 'repeated'
/** The result of the event. */
export type Result = 'applied' | 'stale' | 'dropped' | 'unhandled' | 'failed'

type Plural = Kind['plural']

interface GrowingList extends RecordList {
  ids: string[]
}

interface GrowingReport extends DirectoryReport {
  deleted: Record<Plural, GrowingList>
  failed: Record<Plural, GrowingList>
  deactivated: Deactivations & GrowingList
}

const namedAtMost = 1000

export function recordList(ids: readonly string[]): RecordList {
  return { count: ids.length, ids: ids.slice(0, namedAtMost) }
}

/** Writes the report of one directory. No other code changes this report. */
export class DirectoryRecorder {
  readonly #report: GrowingReport

  constructor(directoryId: string, mode: 'full' | 'incremental') {
    this.#report = {
      directoryId,
      mode,
      users: noCounts(),
      groups: noCounts(),
      held: [],
      deleted: { users: emptyList(), groups: emptyList() },
      failed: { users: emptyList(), groups: emptyList() },
      returned: [],
      deactivated: { ...emptyList(), overLimits: false },
      retries: 0,
      durationMs: 0,
    }
  }

  get report(): DirectoryReport {
    return this.#report
  }

  /** Counts a record that a page listed. */
  listed(plural: Plural): void {
    this.#report[plural].seen++
  }

  unchanged(plural: Plural): void {
    this.#report[plural].unchanged++
  }

  ended(plural: Plural, id: string, change: Change, result: Result): void {
    this.#report[plural][result === 'applied' ? change : result]++
    if (result === 'failed') addTo(this.#report.failed[plural], id)
    if (result === 'applied' && change === 'deleted') addTo(this.#report.deleted[plural], id)
  }

  deactivated(id: string): void {
    addTo(this.#report.deactivated, id)
  }

  /** @param limit the number of deactivations that need no attention */
  limitDeactivations(limit: number): void {
    this.#report.deactivated.overLimits = this.#report.deactivated.count > limit
  }

  held(plural: Plural, held: HeldDeletions): void {
    this.#report[plural].held += held.count
    this.#report.held.push(held)
  }

  returned(records: readonly ReturnedRecords[]): void {
    this.#report.returned.push(...records)
  }

  /** Adds an error. The report keeps only the first error. */
  error(error: unknown): void {
    this.#report.error ??= reported(error)
  }

  retried(): void {
    this.#report.retries++
  }

  took(durationMs: number): void {
    this.#report.durationMs += durationMs
  }
}

function emptyList(): GrowingList {
  return { count: 0, ids: [] }
}

function addTo(list: GrowingList, id: string): void {
  list.count++
  if (list.ids.length < namedAtMost) list.ids.push(id)
}
