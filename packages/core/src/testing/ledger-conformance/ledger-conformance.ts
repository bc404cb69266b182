import { beginChecks } from './begin.ts'
import { commitChecks } from './commit.ts'
import { forgetChecks } from './forget.ts'
import { instanceChecks } from './instances.ts'
import { recordChecks } from './record.ts'
import { renewChecks } from './renew.ts'
import type { OpenLedger } from './requests.ts'
import { timeChecks } from './time.ts'

/** One rule of the ledger's contract. `run` rejects with an `AssertionError` if the ledger breaks the rule. */
export interface ConformanceCheck {
  name: string
  run(): Promise<void>
}

export interface ConformanceOptions {
  /** Whether instances exclude each other, as those of an 'atomic' ledger must. @default false */
  atomic?: boolean
}

/**
 * The contract of a ledger as a list of named checks. `open` returns an instance on the same store each time. The checks
 * use ids of their own, so they can run in any order and at the same time.
 *
 * @example
 * for (const { name, run } of ledgerConformance(() => createMyLedger(client))) test(name, run)
 */
export function ledgerConformance(
  open: OpenLedger,
  { atomic = false }: ConformanceOptions = {},
): ConformanceCheck[] {
  const groups = [beginChecks, renewChecks, commitChecks, forgetChecks, timeChecks, recordChecks]
  const checks = groups.flatMap((group) =>
    Object.entries(group).map(([name, check]) => ({
      name,
      run: async () => check(await open({ skewMs: 0 })),
    })),
  )
  if (!atomic) return checks
  const between = Object.entries(instanceChecks).map(([name, check]) => ({ name, run: () => check(open) }))
  return [...checks, ...between]
}
