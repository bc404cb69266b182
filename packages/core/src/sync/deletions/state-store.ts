import { isDeepStrictEqual } from 'node:util'
import { type LedgerRecord, randomnessOf } from '@scalekit-scim/core/internal'
import type { PassContext } from '../pass/pass-context.ts'
import type { Kind } from '../reading/records.ts'
import { SyncError } from '../sync-error.ts'
import {
  chunkFormat,
  type DeletionState,
  formatState,
  type HeldBatch,
  parseStored,
  type StoredBatch,
  type StoredState,
  stateFormat,
} from './state-format.ts'

/** The state that was read, with the stored text that a write replaces. */
export interface LoadedState extends DeletionState {
  /**
   * Whether a part of a held batch is missing from the store. If `true`, the pass cannot determine which records are
   * held.
   */
  incomplete: boolean
  text: string | undefined
  stored: readonly StoredBatch[]
}

/**
 * The expiry of the state, longer than the 90 days after which a pass discards an unseen batch. Each full pass writes
 * the state again.
 */
const stateKeptSeconds = 120 * 86_400
/**
 * The expiry of a chunk. A pass writes each chunk once. If a chunk expires while its batch is held, the next full pass
 * holds the batch's ids as 'no-history'.
 */
const chunkKeptSeconds = 400 * 86_400
const idsPerChunk = 1000

/**
 * Reads and writes the state of deletions of an organization's users, or groups. The state is one ledger record, and
 * one record for each 1,000 held ids.
 */
export class StateStore {
  readonly #pass: PassContext
  readonly #name: string

  constructor(pass: PassContext, organizationId: string, kind: Kind['name']) {
    this.#pass = pass
    this.#name = `deletions:${kind}:${encodeURIComponent(organizationId)}`
  }

  /** @throws SyncError if the state has another format. After several failed calls, throws the store's error */
  async load(): Promise<LoadedState> {
    const { text, state } = await this.#readState()
    const batches: HeldBatch[] = []
    for (const { revision, chunks, ...batch } of state.batches) {
      const ids = await this.#readIds(revision, chunks)
      if (ids) batches.push({ ...batch, ids })
    }
    const incomplete = batches.length < state.batches.length
    return { ...state, batches, incomplete, text, stored: state.batches }
  }

  /**
   * Loads the state for a report. The loaded state contains only the open batches of one directory, each with its first
   * 1,000 ids.
   */
  async loadOpen(directoryId: string): Promise<DeletionState> {
    const { state } = await this.#readState()
    const open = state.batches.filter((batch) => batch.directoryId === directoryId && batch.open > 0)
    const batches: HeldBatch[] = []
    for (const batch of open) batches.push({ ...batch, ids: (await this.#readIds(batch.revision, 1)) ?? [] })
    return { ...state, batches }
  }

  /**
   * Replaces the loaded state.
   * @returns the loaded state for the next call
   * @throws SyncError if another process has written the state since it was loaded. After several failed calls, throws
   *   the store's error
   */
  async replace(loaded: LoadedState, next: DeletionState): Promise<LoadedState> {
    const stored: StoredBatch[] = []
    for (const batch of next.batches) stored.push(await this.#storeIds(loaded, batch))
    const text = formatState({ ...next, batches: stored }, this.#uuid())
    await this.#write(this.#name, loaded.text, text, stateKeptSeconds)
    await this.#dropChunks(loaded.stored, stored)
    return { ...next, incomplete: false, text, stored }
  }

  async #readState(): Promise<{ text: string | undefined; state: StoredState }> {
    const text = await this.#read(this.#name)
    const empty: StoredState = { directories: new Map(), batches: [], sharedWith: new Map() }
    return { text, state: text === undefined ? empty : parseStored(stateFormat, text) }
  }

  /** @returns the ids, or `undefined` for a missing chunk */
  async #readIds(revision: string, chunks: number): Promise<string[] | undefined> {
    const ids: string[] = []
    for (let number = 0; number < chunks; number++) {
      const text = await this.#read(this.#chunkName(revision, number))
      if (text === undefined) return undefined
      ids.push(...parseStored(chunkFormat, text))
    }
    return ids
  }

  /** Stores the ids of a batch. Chunks never change: a batch whose ids have changed gets new chunks. */
  async #storeIds(loaded: LoadedState, { ids, ...batch }: HeldBatch): Promise<StoredBatch> {
    const chunks = Math.ceil(ids.length / idsPerChunk)
    const before = loaded.batches.find(({ approval }) => approval === batch.approval)
    const beforeStored = loaded.stored.find(({ approval }) => approval === batch.approval)
    if (before && beforeStored && isDeepStrictEqual(before.ids, ids)) {
      return { ...batch, revision: beforeStored.revision, chunks }
    }
    const revision = this.#uuid()
    for (let number = 0; number < chunks; number++) {
      const part = ids.slice(number * idsPerChunk, (number + 1) * idsPerChunk)
      const text = JSON.stringify(part)
      await this.#write(this.#chunkName(revision, number), undefined, text, chunkKeptSeconds)
    }
    return { ...batch, revision, chunks }
  }

  /** Deletes the chunks that no batch uses. If a chunk cannot be deleted, it expires later. */
  async #dropChunks(before: readonly StoredBatch[], after: readonly StoredBatch[]): Promise<void> {
    const kept = new Set(after.map(({ revision }) => revision))
    for (const { revision, chunks } of before) {
      if (kept.has(revision)) continue
      for (let number = 0; number < chunks; number++) {
        const record = this.#record(this.#chunkName(revision, number))
        try {
          await record.compareAndSet(await record.read(), undefined, chunkKeptSeconds)
        } catch {}
      }
    }
  }

  #record(name: string): LedgerRecord {
    return this.#pass.config.dispatcher.ledger.record(name)
  }

  #uuid(): string {
    return randomnessOf(this.#pass.config.clock).uuid()
  }

  #chunkName(revision: string, number: number): string {
    return `${this.#name}:${revision}:${number}`
  }

  #read(name: string): Promise<string | undefined> {
    return this.#pass.callStore(async () => this.#record(name).read())
  }

  /** @throws SyncError if the record's text is not `expected` */
  async #write(name: string, expected: string | undefined, next: string, keptSeconds: number): Promise<void> {
    const record = this.#record(name)
    // If an earlier call wrote the record, but its answer was lost, the record already contains the text.
    const isWritten = await this.#pass.callStore(
      async () => (await record.compareAndSet(expected, next, keptSeconds)) || (await record.read()) === next,
    )
    if (isWritten) return
    throw new SyncError(
      'ERR_SCIM_LEASE_LOST',
      "another process has changed the sync's record of deletions, so another pass is probably running",
    )
  }
}
