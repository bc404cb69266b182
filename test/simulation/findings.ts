import type { DocumentedCause } from './documented-causes.ts'
import type { Violation } from './record.ts'

/** The results of all invariants for one history. */
export class Findings<Cause extends string = DocumentedCause> {
  readonly violations: Violation[] = []
  /** How often each invariant did not hold for a documented cause: `one at a time: stalled`. */
  readonly causes = new Map<string, number>()
  readonly #allowed: readonly Cause[]

  /** @param allowed the causes that can apply in histories of this kind */
  constructor(allowed: readonly Cause[]) {
    this.#allowed = allowed
  }

  violate(invariant: string, atMs: number, detail: string): void {
    this.violations.push({ invariant, atMs, detail })
  }

  /** Counts the cause. Without an allowed cause, adds a violation. */
  explain(invariant: string, cause: Cause | undefined, atMs: number, detail: () => string): void {
    const name = `${invariant}: ${cause}`
    if (cause !== undefined && this.#allowed.includes(cause))
      this.causes.set(name, (this.causes.get(name) ?? 0) + 1)
    else this.violate(invariant, atMs, detail())
  }
}
