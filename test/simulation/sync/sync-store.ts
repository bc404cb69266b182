import type { Ledger } from '@scalekit-scim/core'
import type { SimulatedProcess } from '../process.ts'
import { AtomicStore } from '../stores/atomic-store.ts'
import { LosableMap } from '../stores/losable-map.ts'
import type { Server } from '../stores/server.ts'
import type { OpenedStore, SimulatedStore } from '../stores/simulated-store.ts'

interface StoredText {
  text: string
  expiresMs: number
}

/** An atomic store with the records of the sync. */
export class SyncStore implements SimulatedStore {
  readonly #server: Server
  readonly #events: AtomicStore
  readonly #records = new LosableMap<StoredText>()

  constructor(server: Server) {
    this.#server = server
    this.#events = new AtomicStore(server, () => {}, true)
  }

  openIn(process: SimulatedProcess): OpenedStore & { store: Ledger } {
    const opened = this.#events.openIn(process)
    const { store } = opened
    if (typeof store === 'string' || !('begin' in store)) throw new Error('an atomic store is a ledger')
    return { ...opened, store: { ...store, record: (name) => this.#recordIn(process, name) } }
  }

  loseSince(sinceMs: number): void {
    this.#events.loseSince(sinceMs)
    this.#records.loseSince(sinceMs)
  }

  claimed(): string[] {
    const lease = this.#read('sync:pass')
    return [...this.#events.claimed(), ...(lease === undefined ? [] : ['the lease of a pass'])]
  }

  #recordIn(process: SimulatedProcess, name: string): ReturnType<Ledger['record']> {
    return {
      read: () => this.#server.call(process, `read ${name}`, () => this.#read(name)),
      compareAndSet: (expected, value, expirySeconds) =>
        this.#server.call(process, `write ${name}`, () => {
          if (this.#read(name) !== expected) return false
          const expiresMs = this.#server.now() + expirySeconds * 1000
          const { nowMs } = this.#server.world
          this.#records.set(name, value === undefined ? undefined : { text: value, expiresMs }, nowMs)
          return true
        }),
    }
  }

  #read(name: string): string | undefined {
    const stored = this.#records.get(name)
    return stored && stored.expiresMs > this.#server.now() ? stored.text : undefined
  }
}
