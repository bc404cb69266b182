import { beginChecks } from './begin.ts'
import { forgetChecks } from './forget.ts'
import { instanceChecks } from './instances.ts'
import { ownerChecks } from './owner.ts'
import { recordChecks } from './record.ts'
import { CheckedStore, type OpenLedger } from './store.ts'
import { timeChecks } from './time.ts'

/** One rule of the ledger's contract. If the ledger breaks the rule, `run` rejects with an `AssertionError`. */
export interface ConformanceCheck {
  name: string
  run(): Promise<void>
}

export interface ConformanceOptions {
  /**
   * Whether to also check that instances exclude each other. A ledger with the guarantee 'atomic' needs this. @default
   * false
   */
  atomic?: boolean
}

/**
 * Returns the contract of a ledger as a list of named checks. Each call of `open` must return an instance on the same
 * store. Each check uses its own ids, so the checks can run in any order and at the same time.
 *
 * @example
 * for (const { name, run } of ledgerConformance(() => createMyLedger(client))) test(name, run)
 */
export function ledgerConformance(
  open: OpenLedger,
  { atomic = false }: ConformanceOptions = {},
): ConformanceCheck[] {
  const groups = [beginChecks, ownerChecks, forgetChecks, timeChecks, recordChecks]
  const checks = groups.flatMap((group) =>
    Object.entries(group).map(([name, check]) => ({
      name,
      run: async () => check(new CheckedStore(await open({ skewMs: 0 }))),
    })),
  )
  if (!atomic) return checks
  const between = Object.entries(instanceChecks).map(([name, check]) => ({ name, run: () => check(open) }))
  return [...checks, ...between]
}
