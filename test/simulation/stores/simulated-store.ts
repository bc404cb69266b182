import type { Store } from '@scalekit-scim/core'
import type { SimulatedProcess } from '../process.ts'

/** The store of a history, with the processes' connections to it. */
export interface SimulatedStore {
  /** Returns the option `store` of a receiver in this process. */
  openIn(process: SimulatedProcess): OpenedStore
  /** Loses everything that was written since that time. */
  loseSince(sinceMs: number): void
  /** The messages and resources that are claimed now. */
  claimed(): string[]
}

export interface OpenedStore {
  store: Store
  /** The number of timers that run until the store is closed. */
  ownTimers: number
  close(): void
}

/** Is called when a store records a message as done. */
export type OnRecorded = (messageId: string) => void
