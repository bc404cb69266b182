// One of several processes that share a store. The module ledger-processes.ts starts the process and sends it jobs. The
// process exits when its parent exits.

import { setTimeout as sleep } from 'node:timers/promises'
import { createDispatcher } from '@scalekit-scim/core'
import Keyv from 'keyv'
import { adapterOn } from '../chaos/adapter.ts'
import { Random } from '../chaos/random.ts'
import { type Desk, Lane, nowMs, type Recorded } from './lane.ts'
import type { FromLedgerProcess, Job, LedgerProcessOptions } from './ledger-processes.ts'
import type { Operation } from './operations.ts'

/** In each process, this number of callers works on a resource. */
const callers = 2
const { name, store, namespace, schema }: LedgerProcessOptions = JSON.parse(process.argv[2] ?? '{}')
const adapter = adapterOn(store, schema)
let failedMs = 0
adapter.on('error', () => {
  failedMs = nowMs()
})
const { ledger } = createDispatcher({
  store: new Keyv({ store: adapter }),
  namespace,
  logger: false,
  onEvent: () => {},
})

process.on('message', (job: Job) => void run(job))
process.on('disconnect', () => process.exit())
// Opens the connections and creates the tables, before the faults begin. On a busy machine, this may take longer than
// the ledger's time limit.
while (
  !(await ledger.forget('').then(
    () => true,
    () => false,
  ))
) {
  await sleep(100)
}
tell('ready')

async function run({ resource, seed, operations }: Job): Promise<void> {
  const desk: Desk = {
    ledger,
    resource,
    claims: [],
    lostTokens: new Set(),
    recorded: [],
    failedMs: () => failedMs,
  }
  const lanes = Array.from(
    { length: callers },
    (_, caller) => new Lane(`${name}.${caller}`, desk, new Random(seed * callers + caller)),
  )
  await Promise.all(lanes.map((lane) => lane.run(operations / callers)))
  tell({ resource, operations: desk.recorded.flatMap(withHiddenCalls) })
}

/** Adds the calls that a driver may make itself, in addition to the caller's. Their answers are unknown. */
function withHiddenCalls({ operation, wasCut }: Recorded): Operation[] {
  if (operation.verb !== 'begin') return [operation]
  const { by, calledMs, returnedMs, request } = operation
  const hidden = { by: `${by}*`, calledMs }
  const operations: Operation[] = [operation]
  // A driver that does not receive the answer of a `begin` releases the claim later.
  if (returnedMs === undefined) operations.push({ verb: 'release', token: request.token, ...hidden })
  // If the connection is lost during a `begin`, the driver for Redis repeats the `begin`.
  const mayBeRepeated = store.kind === 'redis' && (returnedMs === undefined || wasCut)
  if (mayBeRepeated) operations.push({ verb: 'begin', request, ...hidden })
  return operations
}

function tell(message: FromLedgerProcess): void {
  process.send?.(message)
}
