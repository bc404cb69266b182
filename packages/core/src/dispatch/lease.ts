import { type Clock, type Timer, timedOut, within } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Claim, Ledger } from '../ledger/ledger.ts'

interface LeaseOptions {
  ledger: Ledger
  claim: Claim
  /** When the claim was asked for: the store's own lease began then, or later. */
  askedAtMs: number
  clock: Clock
  leaseSeconds: number
  storeTimeoutSeconds: number
  log: Logger
}

/** How long after a failed renewal the next is tried. */
const retryMs = 500

/**
 * Keeps a claim alive while its handler runs. The signal aborts when the claim is somebody else's, or when it may be
 * from now on, because the store did not renew it:
 *
 *     asked            asked                       asked + leaseSeconds
 *       ├─ begin ─┤      ├─ renew ─┤     ├─ renew ───┤ abort
 *       ├─ lease, at least ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┤ others: begin → begun
 */
export class Lease {
  readonly #options: LeaseOptions
  readonly #controller = new AbortController()
  #timer: Timer | undefined
  #ended = false
  #endsAtMs: number
  #renewing: Promise<unknown> = Promise.resolve()

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#endsAtMs = options.askedAtMs + this.#leaseMs
    this.#renewIn(options.askedAtMs + this.#leaseMs / 3 - options.clock.monotonic())
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Stops renewing; the handler has ended. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  /** Resolves when no renewal is on its way that would take the claim anew after its release, or none in time. */
  async settled(): Promise<void> {
    await this.#renewing
  }

  /** Stops renewing, and tells the handler to stop. */
  abort(reason: string): void {
    this.end()
    this.#controller.abort(new DOMException(`scalekit-scim: ${reason}`, 'AbortError'))
  }

  get #leaseMs(): number {
    return this.#options.leaseSeconds * 1000
  }

  get #leftMs(): number {
    return this.#endsAtMs - this.#options.clock.monotonic()
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, delayMs)
  }

  async #renew(): Promise<void> {
    const { ledger, claim, clock, leaseSeconds, storeTimeoutSeconds, log } = this.#options
    // A process that stalled for so long must not go on before it knows.
    if (this.#leftMs <= 0) return this.#ranOut()
    const askedAtMs = clock.monotonic()
    const waitMs = Math.min(storeTimeoutSeconds * 1000, this.#leftMs)
    const answer = await within(clock, ask(ledger, claim, leaseSeconds), waitMs).catch(() => timedOut)
    if (this.#ended) return
    if (answer === false) {
      log.error({ messageId: claim.messageId }, 'the lease was lost: another process has the message now')
      return this.abort('the lease was lost')
    }
    if (answer === true) {
      this.#endsAtMs = askedAtMs + this.#leaseMs
      return this.#renewIn(this.#leaseMs / 3)
    }
    if (this.#leftMs <= 0) return this.#ranOut()
    this.#renewIn(Math.min(this.#leaseMs / 3, retryMs, this.#leftMs))
  }

  #ranOut(): void {
    const { log, claim } = this.#options
    log.error({ messageId: claim.messageId }, 'the lease ran out: the store could not be asked to renew it')
    this.abort('the lease ran out')
  }
}

async function ask(ledger: Ledger, claim: Claim, leaseSeconds: number): Promise<boolean> {
  return ledger.renew(claim, leaseSeconds)
}
