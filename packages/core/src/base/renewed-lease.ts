import { callAsync } from './application-calls.ts'
import { type Clock, type Timer, timedOut, within } from './clock.ts'

/** The longest wait after a failed renewal. */
const retryMs = 500

interface LeaseOptions {
  clock: Clock
  leaseMs: number
  /** The lease ends `leaseMs` after this time, or later. */
  requestedAtMs: number
  /** The time limit of a renewal. A longer renewal counts as failed. */
  timeoutMs: number
  /** Extends the lease. @returns whether the owner still had the lease */
  renew(): Promise<boolean>
  /**
   * If another owner may have the lease, this function is called once.
   * @param lapsed `true`: no renewal succeeded in time. `false`: the store has reported another owner
   */
  onLost(lapsed: boolean): void
}

/** Renews a lease after each third of its duration, until the owner ends it or loses it. */
export class RenewedLease {
  readonly #options: LeaseOptions
  #timer: Timer | undefined
  #ended = false
  #endsAtMs = 0
  #renewing: Promise<unknown> = Promise.resolve()

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#extend(options.requestedAtMs)
  }

  /**
   * Stops the renewals. The promise resolves when no renewal is under way. If the owner releases the lease earlier, a
   * late renewal can take the lease again.
   */
  end(): Promise<unknown> {
    this.#ended = true
    this.#timer?.cancel()
    return this.#renewing
  }

  /** Detects that the lease has lapsed. After a stall of the process, this check is earlier than the lease's timer. */
  check(): void {
    if (this.#leftMs <= 0) this.#lose(true)
  }

  get #leftMs(): number {
    return this.#endsAtMs - this.#options.clock.monotonic()
  }

  #extend(requestedAtMs: number): void {
    const { clock, leaseMs } = this.#options
    this.#endsAtMs = requestedAtMs + leaseMs
    this.#renewIn(requestedAtMs + leaseMs / 3 - clock.monotonic())
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const { clock, leaseMs, timeoutMs, renew } = this.#options
    // If the renewals failed or the process stalled, the lease may have ended.
    if (this.#leftMs <= 0) return this.#lose(true)
    const requestedAtMs = clock.monotonic()
    const waitMs = Math.min(timeoutMs, this.#leftMs)
    const answer = await within(clock, callAsync(renew), waitMs).catch(() => timedOut)
    if (this.#ended) return
    if (answer === false) this.#lose(false)
    else if (answer === true) this.#extend(requestedAtMs)
    else this.#renewIn(Math.min(leaseMs / 3, retryMs, this.#leftMs))
  }

  #lose(lapsed: boolean): void {
    if (this.#ended) return
    void this.end()
    this.#options.onLost(lapsed)
  }
}
