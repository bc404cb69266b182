import type { Violation } from './record.ts'

/** The parts of a history's result that all simulations have. */
export interface CountedHistory {
  findings: { violations: readonly Violation[]; causes: ReadonlyMap<string, number> }
  virtualMs: number
  events: number
}

/** Counts of many histories. */
export class Counts {
  histories = 0
  virtualMs = 0
  events = 0
  readonly #causes = new Map<string, number>()
  readonly #occurrences = new Map<string, number>()

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

  protected countHistory({ findings, virtualMs, events }: CountedHistory): void {
    this.histories++
    this.virtualMs += virtualMs
    this.events += events
    for (const [name, count] of findings.causes) increase(this.#causes, name, count)
  }

  protected count(name: string, occurrences = 1): void {
    increase(this.#occurrences, name, occurrences)
  }
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  if (by > 0) counts.set(name, (counts.get(name) ?? 0) + by)
}

function sorted(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
