import { type Clock, type Timer, timedOut, within } from './clock.ts'
import type { Claim, Ledger } from './ledger/ledger.ts'
import type { Logger } from './logger.ts'

interface LeaseOptions {
  ledger: Ledger
  claim: Claim
  clock: Clock
  leaseSeconds: number
  storeTimeoutSeconds: number
  log: Logger
}

/** How long after a failed renewal the next is tried. */
const retryMs = 500

/**
 * Keeps a claim alive while its handler runs. The signal aborts when the claim is somebody else's, or when the
 * store could not be asked for so long that it may be.
 */
export class Lease {
  readonly #options: LeaseOptions
  readonly #controller = new AbortController()
  #timer: Timer | undefined
  #ended = false
  #renewedAtMs: number

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#renewedAtMs = options.clock.monotonic()
    this.#renewIn(this.#thirdMs)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Stops renewing; the handler has ended. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  /** Stops renewing, and tells the handler to stop. */
  abort(reason: string): void {
    this.end()
    this.#controller.abort(new DOMException(`scalekit-scim: ${reason}`, 'AbortError'))
  }

  get #thirdMs(): number {
    return (this.#options.leaseSeconds * 1000) / 3
  }

  #renewIn(delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#renew(), delayMs)
  }

  async #renew(): Promise<void> {
    const { ledger, claim, clock, leaseSeconds, storeTimeoutSeconds, log } = this.#options
    const askedAtMs = clock.monotonic()
    const answer = await within(clock, ask(ledger, claim, leaseSeconds), storeTimeoutSeconds * 1000).catch(
      () => timedOut,
    )
    if (this.#ended) return
    if (answer === false) {
      log.error({ messageId: claim.messageId }, 'the lease was lost: another process has the message now')
      return this.abort('the lease was lost')
    }
    if (answer === true) {
      this.#renewedAtMs = askedAtMs
      return this.#renewIn(this.#thirdMs)
    }
    if (clock.monotonic() - this.#renewedAtMs >= leaseSeconds * 1000) {
      log.error({ messageId: claim.messageId }, 'the lease ran out: the store could not be asked to renew it')
      return this.abort('the lease ran out')
    }
    this.#renewIn(Math.min(this.#thirdMs, retryMs))
  }
}

async function ask(ledger: Ledger, claim: Claim, leaseSeconds: number): Promise<boolean> {
  return ledger.renew(claim, leaseSeconds)
}
