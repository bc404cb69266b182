import { Counts } from './counts.ts'
import type { HistoryResult } from './history.ts'
import type { Attempt, HistoryRecord, Run } from './record.ts'

/** Counts of many histories of webhooks. */
export class Tally extends Counts {
  add(result: HistoryResult): void {
    const { record, plan } = result
    this.countHistory(result)
    this.count(`histories of ${plan.kind}`)
    for (const { what } of plan.faults) this.count(`fault ${what}`)
    for (const { outcome } of record.attempts) this.count(`outcome ${outcome ?? 'none'}`)
    for (const run of record.runs) for (const name of occurrencesIn(run)) this.count(name)
    this.count('messages recorded', record.recorded.length)
    this.count('commit pending', record.attempts.filter((attempt) => isPending(attempt, record)).length)
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
