import { type HistoryOutcome, runHistory } from './history.ts'

/** The results of many histories. */
export interface Histories {
  /** The seeds of the histories with violations, and the violations. */
  failed: { seed: number; violations: readonly string[] }[]
  /** The story of the first failed history. */
  firstStory: string
  deletions: number
  /** The number of writes of the records of deletions. Processes crash and stores fail at these writes. */
  stateWrites: number
  crashes: number
  /** The number of held records for each reason. */
  held: Record<string, number>
}

/** Runs the histories of these seeds, one after the other. */
export async function runHistories(first: number, last: number): Promise<Histories> {
  const all: Histories = { failed: [], firstStory: '', deletions: 0, stateWrites: 0, crashes: 0, held: {} }
  for (let seed = first; seed <= last; seed++) count(all, await runHistory(seed))
  return all
}

function count(all: Histories, { seed, violations, story, held, ...counts }: HistoryOutcome): void {
  all.deletions += counts.deletions
  all.stateWrites += counts.stateWrites
  all.crashes += counts.crashes
  for (const [reason, number] of Object.entries(held)) all.held[reason] = (all.held[reason] ?? 0) + number
  if (violations.length === 0) return
  if (all.failed.length === 0) all.firstStory = story.join('\n')
  all.failed.push({ seed, violations })
}
