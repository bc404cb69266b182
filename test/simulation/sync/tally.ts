import type { SyncHistoryResult } from './history.ts'

/** Counts of many histories. */
export class SyncTally {
  histories = 0
  virtualMs = 0
  events = 0
  readonly #causes = new Map<string, number>()
  readonly #occurrences = new Map<string, number>()

  add({ plan, findings, record, reports, virtualMs, events, ...counts }: SyncHistoryResult): void {
    this.histories++
    this.virtualMs += virtualMs
    this.events += events
    for (const [name, count] of findings.causes) increase(this.#causes, name, count)
    const count = (name: string, occurrences = 1) => increase(this.#occurrences, name, occurrences)
    count(`histories of ${plan.flavour}`)
    for (const { what } of plan.faults) count(`fault ${what}`)
    for (const { what } of plan.changes) count(`change ${what}`)
    for (const { outcome } of record.attempts) count(`webhook ${outcome ?? 'without a reply'}`)
    count('deletions', counts.deletions)
    count('approvals', counts.approvals)
    count('crashes during a pass', counts.crashesInPass)
    count('webhooks during a pass', counts.webhooksInPass)
    for (const { outcome, organizations } of reports) {
      count(`pass ${outcome}`)
      for (const directory of organizations.flatMap(({ directories }) => directories)) {
        count(`directory ${directory.error?.code ?? directory.error?.name ?? 'without an error'}`)
        for (const { reason } of directory.held) count(`held as ${reason}`)
        count('records returned', directory.returned.length)
        count('records stale', directory.users.stale + directory.groups.stale)
        count('records repeated', directory.users.repeated + directory.groups.repeated)
      }
    }
  }

  /** How often each invariant did not hold for a documented cause. */
  get causes(): [name: string, count: number][] {
    return sorted(this.#causes)
  }

  get occurrences(): [name: string, count: number][] {
    return sorted(this.#occurrences)
  }

  /** How often something occurred, such as 'pass complete'. */
  of(name: string): number {
    return this.#occurrences.get(name) ?? 0
  }
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  if (by > 0) counts.set(name, (counts.get(name) ?? 0) + by)
}

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
