import assert from 'node:assert/strict'
import { beginChecks } from './begin.ts'
import { forgetChecks } from './forget.ts'
import { ownerChecks } from './owner.ts'
import { recordChecks } from './record.ts'
import { beginAll, CheckedStore, type OpenLedger, someId } from './store.ts'
import { timeChecks } from './time.ts'

/** One rule of the ledger's contract. If the ledger breaks the rule, `run` rejects with an `AssertionError`. */
export interface ConformanceCheck {
  name: string
  run(): Promise<void>
}

export interface ConformanceOptions {
  /**
   * Whether to also check that instances exclude each other. A ledger with the guarantee 'atomic' needs this check.
   * @default false
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

/** The checks that use several instances on one store. */
const instanceChecks: Readonly<Record<string, (open: OpenLedger) => Promise<void>>> = {
  'if two clocks differ by 60 s, one instance gets a message, and one gets a turn': async (open) => {
    const ahead = new CheckedStore(await open({ skewMs: 30_000 }))
    const behind = new CheckedStore(await open({ skewMs: -30_000 }))
    for (const [first, second] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const { messageId, resource } = await first.begunOnResource()
      await second.expectState({ messageId, resource }, 'in-flight')
      await second.expectState({ resource }, 'busy')
    }
  },

  'if 5 instances begin one message 50 times at the same time, one call succeeds': async (open) => {
    const instances = await Promise.all(Array.from({ length: 5 }, () => open({ skewMs: 0 })))
    const begins = Array(10).fill(instances.map((instance) => new CheckedStore(instance)))
    const states = await beginAll(begins.flat(), { messageId: someId('msg') })
    assert.deepEqual(states, { begun: 1, 'in-flight': 49 })
  },
}
