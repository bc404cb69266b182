import { afterAll, expect, test } from 'vitest'
import { openStores, type StoreKind } from '../chaos/stores.ts'
import { sized } from '../support/sizes.ts'
import { checkDriver } from './check-driver.ts'

const calls = sized(10_000, 1_000_000)
const timeout = sized(180_000, 7_200_000)

/** The histories must contain each of these answers. Each one is at least one answer in a thousand. */
const answers = [
  ...['begun', 'duplicate', 'in-flight', 'busy', 'stale'].map((state) => `begin: ${state}`),
  ...['renew: true', 'renew: false', 'commit: ok', 'commit: lost', 'release'],
]

const stores = await openStores()
afterAll(() => stores.close())

for (const kind of ['redis', 'postgres', 'mysql'] satisfies StoreKind[]) {
  test.skipIf(!stores[kind])(
    `${calls} calls of several processes on ${kind} have an order that the contract allows`,
    { timeout },
    async () => {
      const url = stores[kind] ?? ''
      const { tally, refusal } = await checkDriver({ kind, url, calls, resourcesAtOnce: 24 })
      expect(refusal, `a history is not allowed:\n${refusal}`).toBeUndefined()

      expect(tally.calls).toBeGreaterThanOrEqual(calls)
      expect(tally.unanswered).toBeGreaterThan(0)
      expect(tally.undecided).toBeLessThan(tally.histories / 5)
      expect(tally.lapses).toBeGreaterThan(calls / 1000)
      const rare = answers.filter((answer) => (tally.answers[answer] ?? 0) < calls / 1000)
      expect(rare).toEqual([])
    },
  )
}
