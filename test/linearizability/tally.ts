import type { Operation } from './operations.ts'

/** Counts what happened in histories. */
export class Tally {
  readonly answers: Record<string, number> = {}
  calls = 0
  unanswered = 0
  /** Turns that others took over after their lease had lapsed. */
  lapses = 0
  histories = 0
  /** Histories with too many possible orders. */
  undecided = 0

  add(history: readonly Operation[]): void {
    this.histories++
    for (const operation of history) {
      if (operation.by.endsWith('*')) continue
      this.calls++
      if (operation.returnedMs === undefined) this.unanswered++
      const answer = answerOf(operation)
      this.answers[answer] = (this.answers[answer] ?? 0) + 1
    }
    this.lapses += lapsesIn(history)
  }
}

function answerOf(operation: Operation): string {
  if (operation.returnedMs === undefined) return `${operation.verb}: no answer`
  switch (operation.verb) {
    case 'begin':
      return `begin: ${operation.answer?.state}`
    case 'release':
      return 'release'
    default:
      return `${operation.verb}: ${operation.answer}`
  }
}

/** Counts the new fences whose previous owner had neither committed nor released. */
function lapsesIn(history: readonly Operation[]): number {
  const tokens = new Map<number, string>()
  const ended = new Set<string>()
  for (const operation of history) {
    if (operation.verb === 'begin' && operation.answer?.state === 'begun') {
      tokens.set(operation.answer.fence, operation.request.token)
    }
    if (operation.verb === 'commit' && operation.answer !== 'lost') ended.add(operation.claim.token)
    if (operation.verb === 'release') ended.add(operation.token)
  }
  const byFence = [...tokens].sort(([a], [b]) => a - b).map(([, token]) => token)
  return byFence.slice(0, -1).filter((token, index) => !ended.has(token) && byFence[index + 1] !== token)
    .length
}
