import { randomUUID } from 'node:crypto'
import { emptyNamespace, type StoreAddress } from '../chaos/adapter.ts'
import { Random } from '../chaos/random.ts'
import type { DriverFaultName } from './driver-faults.ts'
import { LedgerProcess } from './ledger-processes.ts'
import { disturb, proxiesTo, through } from './network-faults.ts'
import type { Operation } from './operations.ts'

interface RecordingOptions {
  store: StoreAddress
  /** The schema of PostgreSQL's tables. */
  schema: string
  seed: number
  resources: number
  resourcesAtOnce: number
  /** Runs the processes with this fault in the driver. */
  fault?: DriverFaultName | undefined
  /** @returns whether to record more histories */
  onHistory(history: Operation[]): boolean
}

const processCount = 3
/** The calls of one process on one resource. So a resource has 120 operations. */
const callsOfProcess = 40
export const callsOfResource = processCount * callsOfProcess

/** Records the histories of several processes, which call one ledger under faults. */
export async function recordHistories({ onHistory, ...options }: RecordingOptions): Promise<void> {
  const { store, schema, seed, fault } = options
  const namespace = `linearizability_${randomUUID().replaceAll('-', '')}`
  const proxies = await proxiesTo(store.url, processCount)
  const processes = await Promise.all(
    proxies.map((proxy, index) => {
      const own = { kind: store.kind, url: through(proxy, store.url) }
      return LedgerProcess.start({ name: `P${index}`, store: own, namespace, schema }, fault)
    }),
  )
  const over = new AbortController()
  const disturbed = disturb(proxies, processes, new Random(seed), over.signal)
  let next = 0
  let isEnough = false
  const recordOneByOne = async () => {
    while (!isEnough && next < options.resources) {
      const history = await record(processes, seed, next++)
      if (!isEnough) isEnough = !onHistory(history)
    }
  }
  try {
    await Promise.all(Array.from({ length: options.resourcesAtOnce }, recordOneByOne))
  } finally {
    isEnough = true
    over.abort()
    await disturbed
    await Promise.all(processes.map((process) => process.end()))
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await emptyNamespace(store, namespace)
  }
}

/** Runs one job in each process at the same time. */
async function record(
  processes: readonly LedgerProcess[],
  seed: number,
  number: number,
): Promise<Operation[]> {
  const jobs = processes.map((process, index) =>
    process.run({
      resource: `r${number}`,
      seed: seed + number * processes.length + index,
      operations: callsOfProcess,
    }),
  )
  return (await Promise.all(jobs)).flat()
}
