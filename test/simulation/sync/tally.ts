import { Counts } from '../counts.ts'
import type { SyncHistoryResult } from './history.ts'

/** Counts of many histories of the sync. */
export class SyncTally extends Counts {
  add(result: SyncHistoryResult): void {
    const { plan, record, reports, ...counts } = result
    this.countHistory(result)
    this.count(`histories of ${plan.flavour}`)
    for (const { what } of plan.faults) this.count(`fault ${what}`)
    for (const { what } of plan.changes) this.count(`change ${what}`)
    for (const { outcome } of record.attempts) this.count(`webhook ${outcome ?? 'without a reply'}`)
    this.count('deletions', counts.deletions)
    this.count('approvals', counts.approvals)
    this.count('crashes during a pass', counts.crashesInPass)
    this.count('webhooks during a pass', counts.webhooksInPass)
    for (const { outcome, organizations } of reports) {
      this.count(`pass ${outcome}`)
      for (const directory of organizations.flatMap(({ directories }) => directories)) {
        this.count(`directory ${directory.error?.code ?? directory.error?.name ?? 'without an error'}`)
        for (const { reason } of directory.held) this.count(`held as ${reason}`)
        this.count('records returned', directory.returned.length)
        this.count('records stale', directory.users.stale + directory.groups.stale)
        this.count('records repeated', directory.users.repeated + directory.groups.repeated)
      }
    }
  }
}
