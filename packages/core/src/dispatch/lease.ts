import { callAsync } from '../base/call-back.ts'
import { type Timer, timedOut, within } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Claim } from '../ledger/ledger.ts'
import type { BegunClaim } from './claims.ts'
import type { OpenConfiguration } from './open-store.ts'

/** The wait after a failed renewal. */
const retryMs = 500

/**
 * Renews a claim while its handler runs. The handler's signal aborts if another process has the claim. It also aborts
 * if the store did not renew the claim in time. Another process can then have the claim:
 *
 *     requested        requested                   requested + leaseSeconds
 *       ├─ begin ─┤      ├─ renew ─┤     ├─ renew ───┤ abort
 *       ├─ lease, at least ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┤ others: begin → begun
 */
export class Lease {
  readonly #config: OpenConfiguration
  readonly #claim: Claim
  readonly #log: Logger
  readonly #controller = new AbortController()
  /** The handler's signal. */
  readonly signal = this.#controller.signal
  #timer: Timer | undefined
  #ended = false
  #endsAtMs: number
  #renewing: Promise<unknown> = Promise.resolve()

  constructor(config: OpenConfiguration, { claim, requestedAtMs }: BegunClaim, log: Logger) {
    this.#config = config
    this.#claim = claim
    this.#log = log
    this.#endsAtMs = requestedAtMs + this.#leaseMs
    this.#renewIn(requestedAtMs + this.#leaseMs / 3 - config.clock.monotonic())
  }

  /** Stops renewing, because the handler has ended. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  /** Resolves when no renewal is under way. A late renewal could otherwise take the claim again after its release. */
  async settled(): Promise<void> {
    await this.#renewing
  }

  /** Stops renewing, and aborts the handler's signal. */
  abort(reason: string): void {
    this.end()
    this.#controller.abort(new DOMException(`scalekit-scim: ${reason}`, 'AbortError'))
  }

  get #leaseMs(): number {
    return this.#config.leaseSeconds * 1000
  }

  get #leftMs(): number {
    return this.#endsAtMs - this.#config.clock.monotonic()
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#config.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const { ledger, clock, leaseSeconds, storeTimeoutSeconds } = this.#config
    // The renewals failed, or the process stalled, for so long that it may have lost the claim.
    if (this.#leftMs <= 0) return this.#fail('the lease ran out', 'the store did not renew it in time')
    const requestedAtMs = clock.monotonic()
    const waitMs = Math.min(storeTimeoutSeconds * 1000, this.#leftMs)
    const renewing = callAsync(() => ledger.renew(this.#claim, leaseSeconds))
    const answer = await within(clock, renewing, waitMs).catch(() => timedOut)
    if (this.#ended) return
    if (answer === false) {
      return this.#fail('the lease was lost', 'another process has the message now')
    }
    if (answer === true) {
      this.#endsAtMs = requestedAtMs + this.#leaseMs
      return this.#renewIn(this.#leaseMs / 3)
    }
    this.#renewIn(Math.min(this.#leaseMs / 3, retryMs, this.#leftMs))
  }

  #fail(what: string, why: string): void {
    this.#log.error({ messageId: this.#claim.messageId }, `${what}: ${why}`)
    this.abort(what)
  }
}
