import { seed } from '../chaos/random.ts'
import type { StoreKind } from '../chaos/stores.ts'
import { freshSchema } from '../support/postgres.ts'
import { type Refusal, refusalOf } from './check-history.ts'
import type { DriverFaultName } from './driver-faults.ts'
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

/** Records and checks histories of a driver until one is refused. */
export async function checkDriver({ kind, url, calls, ...options }: CheckOptions) {
  const tally = new Tally()
  const refusals: Refusal[] = []
  const startedMs = performance.now()
  let checkedMs = 0
  await recordHistories({
    ...options,
    store: { kind, url },
    schema: kind === 'postgres' ? await freshSchema(url) : '',
    seed,
    resources: Math.ceil(calls / callsOfResource),
    onHistory(history) {
      const fromMs = performance.now()
      const refusal = refusalOf(history)
      checkedMs += performance.now() - fromMs
      tally.add(history)
      if (refusal) refusals.push(refusal)
      return refusals.length === 0
    },
  })
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
