import type { HistoryResult } from './history.ts'
import type { Attempt, HistoryRecord, Run } from './record.ts'

/** Counts of many histories. */
export class Tally {
  histories = 0
  virtualMs = 0
  events = 0
  readonly #causes = new Map<string, number>()
  readonly #occurrences = new Map<string, number>()

  add({ findings, record, plan, virtualMs, events }: HistoryResult): void {
    this.histories++
    this.virtualMs += virtualMs
    this.events += events
    for (const [name, count] of findings.causes) increase(this.#causes, name, count)
    const count = (name: string, occurrences = 1) => increase(this.#occurrences, name, occurrences)
    count(`histories of ${plan.kind}`)
    for (const { what } of plan.faults) count(`fault ${what}`)
    for (const { outcome } of record.attempts) count(`outcome ${outcome ?? 'none'}`)
    for (const run of record.runs) for (const name of occurrencesIn(run)) count(name)
    count('messages recorded', record.recorded.length)
    count('commit pending', record.attempts.filter((attempt) => isPending(attempt, record)).length)
  }

  /** How often each invariant did not hold for a documented cause. */
  get causes(): [name: string, count: number][] {
    return sorted(this.#causes)
  }

  get occurrences(): [name: string, count: number][] {
    return sorted(this.#occurrences)
  }

  /** How often something occurred, such as 'outcome stale'. */
  of(name: string): number {
    return this.#occurrences.get(name) ?? 0
  }
}

function occurrencesIn({ end, abortReason, number }: Run): string[] {
  const reason = abortReason.replace('scalekit-scim: ', '')
  return [`handler ${end}`, ...(reason ? [`signal: ${reason}`] : []), ...(number > 0 ? ['run again'] : [])]
}

/** Whether the reply came before the store had recorded the message. */
function isPending({ message, outcome, repliedMs }: Attempt, { recorded }: HistoryRecord): boolean {
  const isRecorded = recorded.some(({ messageId, atMs }) => messageId === message.id && atMs <= repliedMs)
  return outcome === 'processed' && !isRecorded
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  if (by > 0) counts.set(name, (counts.get(name) ?? 0) + by)
}

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
