import { instantFromMs } from '@scalekit-scim/core/adapter'
import { completeLogger } from '../../../packages/core/src/base/logger.ts'
import { CompareAndSetLedger } from '../../../packages/core/src/ledger/compare-and-set/compare-and-set-ledger.ts'
import type {
  CompareAndSetTable,
  Key,
  Kind,
  Snapshot,
  StoredRow,
} from '../../../packages/core/src/ledger/compare-and-set/table.ts'
import type { MessageState, ResourceState, StoreTime } from '../../../packages/core/src/ledger/decisions.ts'
import type { SimulatedProcess } from '../process.ts'
import { LosableMap } from './losable-map.ts'
import type { Server } from './server.ts'
import type { OnRecorded, OpenedStore, SimulatedStore } from './simulated-store.ts'

/** A store with compare-and-set, as MySQL and SQLite are used. Expired rows stay until they are swept. */
export class CompareAndSetStore implements SimulatedStore {
  readonly #server: Server
  readonly #onRecorded: OnRecorded
  readonly #storeTimeoutSeconds: number
  readonly #rows = new LosableMap<StoredRow>()

  constructor(server: Server, onRecorded: OnRecorded, storeTimeoutSeconds: number) {
    this.#server = server
    this.#onRecorded = onRecorded
    this.#storeTimeoutSeconds = storeTimeoutSeconds
  }

  openIn(process: SimulatedProcess): OpenedStore {
    const store = new CompareAndSetLedger(this.#tableIn(process), 'atomic', {
      namespace: 'simulation',
      clock: process.clock,
      storeTimeoutSeconds: this.#storeTimeoutSeconds,
      watermarkRetentionSeconds: 35 * 86_400,
      log: completeLogger(false),
    })
    // The ledger sweeps its table at intervals.
    return { store, ownTimers: 1, close: () => store.close() }
  }

  loseSince(sinceMs: number): void {
    this.#rows.loseSince(sinceMs)
  }

  claimed(): string[] {
    const { ms } = this.#time()
    return this.#rows
      .entries()
      .filter(([, { state, expiresMs }]) => expiresMs > ms && isClaimed(state, ms))
      .map(([name]) => name)
  }

  #tableIn(process: SimulatedProcess): CompareAndSetTable {
    const call = <Answer>(label: string, execute: () => Answer) => this.#server.call(process, label, execute)
    return {
      read: (keys) => call(`read ${keys.map(nameOf)}`, () => this.#read(keys)),
      compareAndSet: (seen, changes) =>
        call(`set ${changes.map(nameOf)}`, () => {
          const isSeen = ({ kind, id }: Key) =>
            this.#rows.get(nameOf({ kind, id }))?.state === seen.rows[kind]?.state
          if (!changes.every(isSeen)) return false
          for (const { kind, id, state, expiresMs } of changes) {
            const row = state === undefined ? undefined : { state, expiresMs }
            this.#rows.set(nameOf({ kind, id }), row, this.#server.world.nowMs)
            if (kind === 'm' && isDone(state)) this.#onRecorded(id)
          }
          return true
        }),
      sweep: (limit) =>
        call('sweep', () => {
          const { ms } = this.#time()
          const expired = this.#rows.entries().filter(([, { expiresMs }]) => expiresMs <= ms)
          for (const [name] of expired.slice(0, limit)) {
            this.#rows.set(name, undefined, this.#server.world.nowMs)
          }
          return Math.min(expired.length, limit)
        }),
    }
  }

  #read(keys: readonly Key[]): Snapshot {
    const rows: { [K in Kind]?: StoredRow } = {}
    for (const key of keys) {
      const row = this.#rows.get(nameOf(key))
      if (row) rows[key.kind] = row
    }
    return { now: this.#time(), rows }
  }

  #time(): StoreTime {
    const ms = Math.round(this.#server.now())
    return { ms, instant: instantFromMs(ms) }
  }
}

function nameOf({ kind, id }: Key): string {
  return `${kind}:${id}`
}

/** Whether a stored text is the state of a done message. */
export function isDone(state: string | undefined): boolean {
  return state?.includes('"done":true') ?? false
}

/** Whether a stored text is a claim or a turn that has not lapsed. */
export function isClaimed(state: string | undefined, nowMs: number): boolean {
  const { done, untilMs, turn }: Partial<MessageState & ResourceState> = JSON.parse(state ?? '{}')
  return (done === false && (untilMs ?? 0) > nowMs) || (turn?.untilMs ?? 0) > nowMs
}
