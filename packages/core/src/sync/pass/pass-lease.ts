import { randomUUID } from 'node:crypto'
import type { Timer } from '@scalekit-scim/core'
import type { LedgerRecord } from '@scalekit-scim/core/internal'
import type { SyncConfiguration } from '../configure.ts'
import { SyncError } from '../sync-error.ts'
import { retryStore } from '../waiting.ts'

const recordName = 'sync:pass'
const retryMs = 500

/**
 * Allows one pass at a time across all processes. The lease is a ledger record that expires by the store's clock, and
 * the pass renews it. If the process dies, another process can get the lease after it has expired.
 */
export class PassLease {
  readonly #config: SyncConfiguration
  readonly #record: LedgerRecord
  readonly #token: string
  readonly #lost = new AbortController()
  #timer: Timer | undefined
  #renewing: Promise<void> | undefined
  #ended = false
  #renewedAtMs: number

  private constructor(config: SyncConfiguration, record: LedgerRecord, token: string, takenAtMs: number) {
    this.#config = config
    this.#record = record
    this.#token = token
    this.#renewedAtMs = takenAtMs
    this.#renewIn(this.#leaseMs / 3)
  }

  /**
   * @returns nothing if another pass has the lease
   * @throws the store's error, after a few tries
   */
  static take(config: SyncConfiguration): Promise<PassLease | undefined> {
    const { dispatcher, clock, leaseSeconds } = config
    const record = dispatcher.ledger.record(recordName)
    const token = randomUUID()
    return retryStore(clock, async () => {
      const takenAtMs = clock.monotonic()
      // The second call succeeds if an earlier try took the lease, but its answer was lost.
      const isTaken =
        (await record.compareAndSet(undefined, token, leaseSeconds)) ||
        (await record.compareAndSet(token, token, leaseSeconds))
      return isTaken ? new PassLease(config, record, token, takenAtMs) : undefined
    })
  }

  /** Aborts when another pass has the lease, or may have it. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /**
   * Checks the lease. If the process was suspended, this check fails before the lease's timer runs.
   * @throws SyncError if another pass may have the lease
   */
  requireHeld(): void {
    this.#lost.signal.throwIfAborted()
    if (!this.#hasExpired) return
    this.#lose()
    throw this.#lost.signal.reason
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#timer?.cancel()
    // A running renewal must not reach the store after the release.
    await this.#renewing
    try {
      await this.#record.compareAndSet(this.#token, undefined, this.#config.leaseSeconds)
    } catch {
      this.#config.log.warn({}, "the sync's lease could not be released, so it expires by itself")
    }
  }

  get #leaseMs(): number {
    return this.#config.leaseSeconds * 1000
  }

  get #hasExpired(): boolean {
    return this.#config.clock.monotonic() - this.#renewedAtMs >= this.#leaseMs
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#config.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const askedAtMs = this.#config.clock.monotonic()
    const isRenewed = await this.#record
      .compareAndSet(this.#token, this.#token, this.#config.leaseSeconds)
      .catch(() => undefined)
    if (this.#ended) return
    if (isRenewed) {
      this.#renewedAtMs = askedAtMs
      return this.#renewIn(this.#leaseMs / 3)
    }
    if (isRenewed === false || this.#hasExpired) return this.#lose()
    this.#renewIn(Math.min(this.#leaseMs / 3, retryMs))
  }

  #lose(): void {
    const message = "the sync's lease was lost, so another pass may be running"
    this.#lost.abort(new SyncError('ERR_SCIM_LEASE_LOST', message))
  }
}
