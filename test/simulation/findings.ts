import type { Violation } from './record.ts'

/** The results of all invariants for one history. */
export class Findings {
  readonly violations: Violation[] = []
  /** How often each invariant did not hold for a documented cause: `one at a time: stalled`. */
  readonly causes = new Map<string, number>()

  violate(invariant: string, atMs: number, detail: string): void {
    this.violations.push({ invariant, atMs, detail })
  }

  /** Counts the cause. Without a cause, adds a violation. */
  explain(invariant: string, cause: string | undefined, atMs: number, detail: () => string): void {
    const name = `${invariant}: ${cause}`
    if (cause) this.causes.set(name, (this.causes.get(name) ?? 0) + 1)
    else this.violate(invariant, atMs, detail())
  }
}
