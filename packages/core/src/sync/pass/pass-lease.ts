import type { Timer } from '@scalekit-scim/core'
import { type LedgerRecord, randomnessOf } from '@scalekit-scim/core/internal'
import type { SyncConfiguration } from '../configure.ts'
import { SyncError } from '../sync-error.ts'
import { retryStore } from '../waiting.ts'

const recordName = 'sync:pass'
const retryMs = 500

/**
 * Allows one pass at a time across all processes. The lease is a ledger record. The record expires by the store's
 * clock, and the pass renews it. If the process crashes, the lease expires, and another process can take the lease.
 */
export class PassLease {
  readonly #config: SyncConfiguration
  readonly #record: LedgerRecord
  readonly #leaseMs: number
  readonly #token: string
  readonly #lost = new AbortController()
  /** Aborts when another pass may have the lease. */
  readonly lost = this.#lost.signal
  #timer: Timer | undefined
  #renewing: Promise<void> | undefined
  #ended = false
  #renewedAtMs = 0

  constructor(config: SyncConfiguration) {
    this.#config = config
    this.#record = config.dispatcher.ledger.record(recordName)
    this.#leaseMs = config.leaseSeconds * 1000
    this.#token = randomnessOf(config.clock).uuid()
  }

  /**
   * @returns whether the lease was free. If not, another pass has the lease
   * @throws the store's error, after a few tries
   */
  take(): Promise<boolean> {
    const { clock } = this.#config
    return retryStore(clock, async () => {
      const takenAtMs = clock.monotonic()
      // If an earlier call took the lease, but its answer was lost, the second call succeeds.
      const isTaken = (await this.#set(undefined, this.#token)) || (await this.#set(this.#token, this.#token))
      if (isTaken) this.#renewed(takenAtMs)
      return isTaken
    })
  }

  /**
   * If the lease has expired, aborts `lost`. After a suspension of the process, this check is earlier than the lease's
   * timer.
   */
  check(): void {
    if (this.#hasExpired) this.#lose()
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#timer?.cancel()
    // A running renewal must not reach the store after the release.
    await this.#renewing
    try {
      await this.#set(this.#token, undefined)
    } catch {
      this.#config.log.warn({}, 'the sync could not release its lease. The lease expires later')
    }
  }

  get #hasExpired(): boolean {
    return this.#config.clock.monotonic() - this.#renewedAtMs >= this.#leaseMs
  }

  #set(expected: string | undefined, next: string | undefined): Promise<boolean> {
    return this.#record.compareAndSet(expected, next, this.#config.leaseSeconds)
  }

  #renewed(askedAtMs: number): void {
    this.#renewedAtMs = askedAtMs
    this.#renewIn(this.#leaseMs / 3)
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#config.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const askedAtMs = this.#config.clock.monotonic()
    const isRenewed = await this.#set(this.#token, this.#token).catch(() => undefined)
    if (this.#ended) return
    if (isRenewed) this.#renewed(askedAtMs)
    else if (isRenewed === false || this.#hasExpired) this.#lose()
    else this.#renewIn(Math.min(this.#leaseMs / 3, retryMs))
  }

  #lose(): void {
    const message = 'the pass lost its lease, so another pass may be running'
    this.#lost.abort(new SyncError('ERR_SCIM_LEASE_LOST', message))
  }
}
