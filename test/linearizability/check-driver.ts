import { seed } from '../chaos/random.ts'
import type { StoreKind } from '../chaos/stores.ts'
import { freshSchema } from '../support/postgres.ts'
import { type Refusal, refusalOf, TooManyOrders } from './check-history.ts'
import type { DriverFaultName } from './driver-faults.ts'
import type { Operation } from './operations.ts'
import { callsOfResource, recordHistories } from './record-histories.ts'
import { textOf } from './refusal-text.ts'
import { Tally } from './tally.ts'

interface CheckOptions {
  kind: StoreKind
  url: string
  /** The number of calls to record, if no history is refused before. */
  calls: number
  resourcesAtOnce: number
  fault?: DriverFaultName | undefined
}

function refusalUnlessUndecided(history: readonly Operation[]): Refusal | 'undecided' | undefined {
  try {
    return refusalOf(history)
  } catch (error) {
    if (error instanceof TooManyOrders) return 'undecided'
    throw error
  }
}

/** The number of calls that are recorded before their histories are checked. */
const callsAtOnce = 10_000

/**
 * Records and checks histories of a driver until one is refused. The histories of a driver with a fault are checked
 * during the recording, so that the first refusal ends it. Other histories are checked afterwards, because a check
 * would delay the proxies of the connections.
 */
export async function checkDriver({ kind, url, calls, ...options }: CheckOptions) {
  const tally = new Tally()
  const refusals: Refusal[] = []
  const startedMs = performance.now()
  let checkedMs = 0
  const check = (history: readonly Operation[]) => {
    const fromMs = performance.now()
    const refusal = refusalUnlessUndecided(history)
    checkedMs += performance.now() - fromMs
    tally.add(history)
    if (refusal === 'undecided') tally.undecided++
    else if (refusal) refusals.push(refusal)
    return refusals.length === 0
  }
  for (let recorded = 0; recorded < calls && refusals.length === 0; recorded += callsAtOnce) {
    const histories: Operation[][] = []
    await recordHistories({
      ...options,
      store: { kind, url },
      schema: kind === 'postgres' ? await freshSchema(url) : '',
      seed: seed + recorded,
      resources: Math.ceil(Math.min(calls - recorded, callsAtOnce) / callsOfResource),
      onHistory: (history) => (options.fault === undefined ? histories.push(history) > 0 : check(history)),
    })
    for (const history of histories) check(history)
  }
  const [tookSeconds, checkSeconds] = [performance.now() - startedMs, checkedMs].map(
    (ms) => `${(ms / 1000).toFixed(1)} s`,
  )
  console.log(`histories of ${options.fault ?? kind}: ${tookSeconds}, with ${checkSeconds} of checks`, {
    ...tally,
  })
  // The smallest one is easier to read.
  const [refusal] = refusals.toSorted((a, b) => a.operations.length - b.operations.length)
  return { tally, refusal: refusal && textOf(refusal) }
}
