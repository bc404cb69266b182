import { randomUUID } from 'node:crypto'
import type { Clock, Ledger } from '@scalekit-scim/core'
import type { Kind } from '../reading/records.ts'
import { SyncError } from '../sync-error.ts'
import { retryStore } from '../waiting.ts'
import { emptyState } from './deletion-state.ts'
import {
  type DeletionState,
  formatState,
  type HeldBatch,
  parseChunk,
  parseState,
  type StoredBatch,
  type StoredState,
} from './state-format.ts'

/** The users or the groups of one organization. */
export interface StateScope {
  organizationId: string
  kind: Kind['name']
}

/** The state, with the stored text that a write replaces. */
export interface LoadedState extends DeletionState {
  /** Whether a part of a held batch is missing from the store. If so, it is unknown which records must stay held. */
  incomplete: boolean
  text: string | undefined
  stored: readonly StoredBatch[]
}

/** Longer than the 90 days after which an unseen batch is discarded. Each full pass writes the state again. */
const stateKeptSeconds = 120 * 86_400
/**
 * Chunks are written once. If a chunk expires while its batch is held, the next full pass holds the batch's ids as
 * 'no-history'.
 */
const chunkKeptSeconds = 400 * 86_400
const idsPerChunk = 1000

/** Reads and writes the state of deletions: one ledger record per scope, and one per 1,000 held ids. */
export class StateStore {
  readonly #ledger: Ledger
  readonly #clock: Clock
  readonly #signal: AbortSignal

  constructor(ledger: Ledger, clock: Clock, signal: AbortSignal) {
    this.#ledger = ledger
    this.#clock = clock
    this.#signal = signal
  }

  /** @throws the store's error, after a few tries; SyncError if the state cannot be read */
  async load(scope: StateScope): Promise<LoadedState> {
    const { text, state } = await this.#readState(scope)
    const batches: HeldBatch[] = []
    for (const { revision, chunks, ...batch } of state.batches) {
      const ids = await this.#readIds(scope, { ...batch, revision, chunks }, chunks)
      if (ids) batches.push({ ...batch, ids })
    }
    const incomplete = batches.length < state.batches.length
    return { ...state, batches, incomplete, text, stored: state.batches }
  }

  /**
   * Loads the state for a report. It contains only the open batches of one directory, each with its first 1,000 ids.
   */
  async loadOpen(scope: StateScope, directoryId: string): Promise<DeletionState> {
    const { state } = await this.#readState(scope)
    const open = state.batches.filter((batch) => batch.directoryId === directoryId && batch.open > 0)
    const batches: HeldBatch[] = []
    for (const batch of open) batches.push({ ...batch, ids: (await this.#readIds(scope, batch, 1)) ?? [] })
    return { ...state, batches }
  }

  /**
   * Replaces the state that was loaded.
   * @returns the loaded state for the next call
   * @throws SyncError if another process has written the state meanwhile; the store's error, after a few tries
   */
  async replace(scope: StateScope, loaded: LoadedState, next: DeletionState): Promise<LoadedState> {
    const stored: StoredBatch[] = []
    for (const batch of next.batches) stored.push(await this.#storeIds(scope, loaded, batch))
    const text = formatState({ ...next, batches: stored }, randomUUID())
    await this.#write(stateName(scope), loaded.text, text, stateKeptSeconds)
    await this.#dropChunks(scope, loaded.stored, stored)
    return { ...next, incomplete: false, text, stored }
  }

  async #readState(scope: StateScope): Promise<{ text: string | undefined; state: StoredState }> {
    const text = await this.#read(stateName(scope))
    return { text, state: text === undefined ? { ...emptyState(), batches: [] } : parseState(text) }
  }

  /** @returns nothing if a chunk is missing */
  async #readIds(scope: StateScope, batch: StoredBatch, maxChunks: number): Promise<string[] | undefined> {
    const ids: string[] = []
    for (let number = 0; number < Math.min(batch.chunks, maxChunks); number++) {
      const text = await this.#read(chunkName(scope, batch.revision, number))
      if (text === undefined) return undefined
      ids.push(...parseChunk(text))
    }
    return ids
  }

  /** Stores the ids of a batch. Chunks never change: a batch whose ids have changed gets new chunks. */
  async #storeIds(scope: StateScope, loaded: LoadedState, batch: HeldBatch): Promise<StoredBatch> {
    const { ids, ...rest } = batch
    const chunks = Math.ceil(ids.length / idsPerChunk)
    const before = loaded.batches.find(({ approval }) => approval === batch.approval)
    const beforeStored = loaded.stored.find(({ approval }) => approval === batch.approval)
    if (before && beforeStored && sameIds(before.ids, ids)) {
      return { ...rest, revision: beforeStored.revision, chunks }
    }
    const revision = randomUUID()
    for (let number = 0; number < chunks; number++) {
      const part = ids.slice(number * idsPerChunk, (number + 1) * idsPerChunk)
      await this.#write(chunkName(scope, revision, number), undefined, JSON.stringify(part), chunkKeptSeconds)
    }
    return { ...rest, revision, chunks }
  }

  /** Deletes the chunks that no batch uses any more. If a chunk cannot be deleted, it expires later. */
  async #dropChunks(scope: StateScope, before: readonly StoredBatch[], after: readonly StoredBatch[]) {
    const kept = new Set(after.map(({ revision }) => revision))
    for (const { revision, chunks } of before) {
      if (kept.has(revision)) continue
      for (let number = 0; number < chunks; number++) {
        const record = this.#ledger.record(chunkName(scope, revision, number))
        try {
          await record.compareAndSet(await record.read(), undefined, chunkKeptSeconds)
        } catch {}
      }
    }
  }

  #read(name: string): Promise<string | undefined> {
    return retryStore(this.#clock, async () => this.#ledger.record(name).read(), this.#signal)
  }

  /** @throws SyncError if the record's text is not `expected` */
  async #write(name: string, expected: string | undefined, next: string, keptSeconds: number): Promise<void> {
    const record = this.#ledger.record(name)
    const isWritten = await retryStore(
      this.#clock,
      async () => {
        if (await record.compareAndSet(expected, next, keptSeconds)) return true
        // An earlier try may have written the record, even if its answer was lost.
        return (await record.read()) === next
      },
      this.#signal,
    )
    if (isWritten) return
    throw new SyncError(
      'ERR_SCIM_LEASE_LOST',
      "another process has changed the sync's record of deletions, so another pass may be running",
    )
  }
}

function stateName({ organizationId, kind }: StateScope): string {
  return `deletions:${kind}:${encodeURIComponent(organizationId)}`
}

function chunkName(scope: StateScope, revision: string, number: number): string {
  return `${stateName(scope)}:${revision}:${number}`
}

function sameIds(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index])
}
