import { afterAll, expect, test } from 'vitest'
import { openStores } from '../chaos/stores.ts'
import { isSoak } from '../support/sizes.ts'
import { checkDriver } from './check-driver.ts'
import { driverFaults, isDriverFault } from './driver-faults.ts'

const calls = 5000
const timeout = 180_000

const stores = await openStores()
afterAll(() => stores.close())

/** `npm test` looks for the missing fence of each driver, and `npm run soak` for all faults. */
const isLooked = (fault: string) => isSoak || fault.endsWith('commit ignores the fence')

for (const fault of Object.keys(driverFaults).filter(isDriverFault).filter(isLooked)) {
  const { store: kind } = driverFaults[fault]
  test.skipIf(!stores[kind])(`the histories reveal a fault in a driver: ${fault}`, { timeout }, async () => {
    const url = stores[kind] ?? ''
    const { refusal } = await checkDriver({ kind, url, calls, resourcesAtOnce: 6, fault })
    expect(refusal).toBeDefined()
    if (process.env.CHAOS_LOG) console.log(refusal)
  })
}
