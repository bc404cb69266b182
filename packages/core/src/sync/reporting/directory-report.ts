import type { Kind } from '../reading/records.ts'
import { type DirectoryReport, noCounts, type RecordList } from './report.ts'

/** How an event of the sync changes a record. */
export type Change = 'created' | 'updated' | 'deleted' | 'repeated'
/** The result of the event. */
export type Result = 'applied' | 'stale' | 'dropped' | 'unhandled' | 'failed'

const namedAtMost = 1000

export function emptyReport(directoryId: string, mode: 'full' | 'incremental'): DirectoryReport {
  return {
    directoryId,
    mode,
    users: noCounts(),
    groups: noCounts(),
    held: [],
    deleted: { users: recordList([]), groups: recordList([]) },
    failed: { users: recordList([]), groups: recordList([]) },
    returned: [],
    deactivated: { ...recordList([]), overLimits: false },
    retries: 0,
    durationMs: 0,
  }
}

export function noteEvent(
  report: DirectoryReport,
  plural: Kind['plural'],
  id: string,
  change: Change,
  result: Result,
): void {
  report[plural][result === 'applied' ? change : result]++
  if (result === 'failed') addId(report.failed[plural], id)
  if (result === 'applied' && change === 'deleted') addId(report.deleted[plural], id)
}

export function recordList(ids: readonly string[]): RecordList {
  return { count: ids.length, ids: ids.slice(0, namedAtMost) }
}

export function addId(list: RecordList, id: string): void {
  list.count++
  if (list.ids.length < namedAtMost) list.ids = [...list.ids, id]
}
