import { randomUUID } from 'node:crypto'
import type { Clock, Ledger, Logger, Timer } from '@scalekit-scim/core'
import type { LedgerRecord } from '@scalekit-scim/core/internal'
import { SyncError } from './sync-error.ts'
import { patiently } from './waiting.ts'

export interface PassLeaseOptions {
  ledger: Ledger
  clock: Clock
  leaseSeconds: number
  log: Logger
}

const recordName = 'sync:pass'
const retryMs = 500

/**
 * One pass at a time over all processes: a record of the ledger that expires by the store's clock, and is renewed
 * while the pass runs. Who dies stops renewing; the next to ask after the expiry has it.
 */
export class PassLease {
  readonly #options: PassLeaseOptions
  readonly #record: LedgerRecord
  readonly #token: string
  readonly #lost = new AbortController()
  #timer: Timer | undefined
  #renewing: Promise<void> | undefined
  #ended = false
  #renewedAtMs: number

  private constructor(options: PassLeaseOptions, record: LedgerRecord, token: string, takenAtMs: number) {
    this.#options = options
    this.#record = record
    this.#token = token
    this.#renewedAtMs = takenAtMs
    this.#renewIn(this.#leaseMs / 3)
  }

  /**
   * The lease, or `undefined` when another pass has it.
   * @throws what the store throws, after a few tries
   */
  static async take(options: PassLeaseOptions): Promise<PassLease | undefined> {
    const { ledger, clock, leaseSeconds } = options
    const record = ledger.record(recordName)
    const token = randomUUID()
    return patiently(clock, async () => {
      const askedAtMs = clock.monotonic()
      // The second answers for a try before this one, which took the lease and whose answer got lost.
      const taken =
        (await record.compareAndSet(undefined, token, leaseSeconds)) ||
        (await record.compareAndSet(token, token, leaseSeconds))
      return taken ? new PassLease(options, record, token, askedAtMs) : undefined
    })
  }

  /** Aborts when the lease is another's, or may be. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** @throws SyncError where another may have it. A process that was stopped for long finds out here, before its timers */
  requireHeld(): void {
    this.#lost.signal.throwIfAborted()
    if (!this.#ranOut) return
    this.#lose()
    throw this.#lost.signal.reason
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#timer?.cancel()
    // A renewal on its way must not come after the release.
    await this.#renewing
    try {
      await this.#record.compareAndSet(this.#token, undefined, this.#options.leaseSeconds)
    } catch {
      this.#options.log.warn({}, "the sync's lease could not be given back: it lapses by itself")
    }
  }

  get #leaseMs(): number {
    return this.#options.leaseSeconds * 1000
  }

  get #ranOut(): boolean {
    return this.#options.clock.monotonic() - this.#renewedAtMs >= this.#leaseMs
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const askedAtMs = this.#options.clock.monotonic()
    const answer = await this.#record
      .compareAndSet(this.#token, this.#token, this.#options.leaseSeconds)
      .catch(() => undefined)
    if (this.#ended) return
    if (answer) {
      this.#renewedAtMs = askedAtMs
      return this.#renewIn(this.#leaseMs / 3)
    }
    if (answer === false || this.#ranOut) return this.#lose()
    this.#renewIn(Math.min(this.#leaseMs / 3, retryMs))
  }

  #lose(): void {
    this.#lost.abort(
      new SyncError('ERR_SCIM_LEASE_LOST', "the sync's lease was lost: another pass may run now"),
    )
  }
}
