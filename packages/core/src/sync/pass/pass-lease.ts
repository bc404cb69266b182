import { type LedgerRecord, RenewedLease, randomnessOf } from '@scalekit-scim/core/internal'
import type { SyncConfiguration } from '../configure.ts'
import { SyncError } from '../sync-error.ts'
import { retryStore } from '../waiting.ts'

const recordName = 'sync:pass'

/**
 * Allows one pass at a time across all processes. The lease is a ledger record. The pass renews the record, which
 * expires by the store's clock. If the process crashes, the lease expires. Another process can then take the lease.
 */
export class PassLease {
  readonly #config: SyncConfiguration
  readonly #record: LedgerRecord
  readonly #token: string
  readonly #lost = new AbortController()
  /** When another pass may have the lease, this signal aborts. */
  readonly lost = this.#lost.signal
  #lease: RenewedLease | undefined

  constructor(config: SyncConfiguration) {
    this.#config = config
    this.#record = config.dispatcher.ledger.record(recordName)
    this.#token = randomnessOf(config.clock).uuid()
  }

  /**
   * @returns whether the lease was free; `false` if another pass has the lease
   * @throws the store's error, after a few tries
   */
  take(): Promise<boolean> {
    const { clock } = this.#config
    return retryStore(clock, async () => {
      const requestedAtMs = clock.monotonic()
      // If an earlier call took the lease, but its answer was lost, the second call succeeds.
      const isTaken = (await this.#set(undefined, this.#token)) || (await this.#renew())
      if (isTaken) this.#hold(requestedAtMs)
      return isTaken
    })
  }

  /**
   * If the lease has expired, aborts `lost`. After a suspension of the process, this check is earlier than the lease's
   * timer.
   */
  check(): void {
    this.#lease?.check()
  }

  async end(): Promise<void> {
    await this.#lease?.end()
    try {
      await this.#set(this.#token, undefined)
    } catch {
      this.#config.log.warn({}, 'the sync could not release its lease. The lease expires later')
    }
  }

  #hold(requestedAtMs: number): void {
    const { clock, leaseSeconds } = this.#config
    const leaseMs = leaseSeconds * 1000
    const onLost = () => {
      const message = 'the pass lost its lease, so another pass can be running'
      this.#lost.abort(new SyncError('ERR_SCIM_LEASE_LOST', message))
    }
    const renew = () => this.#renew()
    // The ledger itself limits the time of each call.
    this.#lease = new RenewedLease({ clock, leaseMs, requestedAtMs, timeoutMs: leaseMs, renew, onLost })
  }

  #renew(): Promise<boolean> {
    return this.#set(this.#token, this.#token)
  }

  #set(expected: string | undefined, next: string | undefined): Promise<boolean> {
    return this.#record.compareAndSet(expected, next, this.#config.leaseSeconds)
  }
}
