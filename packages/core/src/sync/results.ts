import type { Instant } from '@scalekit-scim/core/internal'
import type { Counts, RecordList } from './report.ts'

/** How an event of the sync can change a record. */
export type Change = 'created' | 'updated' | 'deleted' | 'repeated'
/** What became of it. */
export type Result = 'applied' | 'stale' | 'dropped' | 'unhandled' | 'failed'

/** A report names the first of them. */
const namedAtMost = 1000

export function recordList(ids: readonly string[] = []): RecordList {
  return { count: ids.length, ids: ids.slice(0, namedAtMost) }
}

class IdList implements RecordList {
  count = 0
  readonly ids: string[] = []

  add(id: string): void {
    this.count++
    if (this.ids.length < namedAtMost) this.ids.push(id)
  }
}

/** What became of the events of one kind in a directory's pass, in numbers and by the ids that a person asks for. */
export class Results {
  readonly counts: Counts
  readonly deleted = new IdList()
  readonly failed = new IdList()
  readonly deactivated = new IdList()

  constructor(counts: Counts) {
    this.counts = counts
  }

  add(id: string, change: Change, result: Result): void {
    this.counts[result === 'applied' ? change : result]++
    if (result === 'failed') this.failed.add(id)
    if (result === 'applied' && change === 'deleted') this.deleted.add(id)
  }
}

/** How an event is applied, and who is told. */
export interface Applied {
  /** The store's time before what it says was read. */
  observedAt: Instant
  /** Which directory it is of. @default that of the batch */
  directoryId?: string
  /** Not called if the dispatcher was closed meanwhile. */
  ended(result: Result): void
}
