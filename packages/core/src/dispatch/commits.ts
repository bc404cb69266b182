import {
  awaited,
  type Clock,
  delay,
  inBackground,
  type TimerOptions,
  timedOut,
  within,
} from '../base/clock.ts'
import { StoreUnavailableError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Claim, Ledger, Retention } from '../ledger/ledger.ts'

interface CommitsOptions {
  ledger: Ledger
  clock: Clock
  storeTimeoutSeconds: number
  log: Logger
}

interface Pending {
  claim: Claim
  retention: Retention
}

const retryFromMs = 250
/** Short, so that a store that is back knows what was done before another process asks it. */
const retryToMs = 2000
/** More than these waiting for a store that is down, and the oldest are given up: memory is finite. */
const mostPending = 100_000

/**
 * Records that an event is done. The effect is there already, so a store that fails now does not fail the event:
 * the commit is tried again in the background, and copies that come to this process meanwhile find it done.
 */
export class Commits {
  readonly #options: CommitsOptions
  readonly #pending = new Map<string, Pending>()
  /** The newest of them for each resource. */
  readonly #pendingOf = new Map<string, Pending>()
  /** What was sent for each message and has not been answered. */
  readonly #underWay = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()
  #retrying: Promise<void> | undefined

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  isPending(messageId: string): boolean {
    return this.#pending.has(messageId)
  }

  /**
   * Gives up what is pending for a message, so that it is not done again once it is forgotten; says whether there was
   * any. What is on its way to the store is waited for.
   * @throws StoreUnavailableError when the store does not answer it in time
   */
  async drop(messageId: string): Promise<boolean> {
    const { clock, storeTimeoutSeconds } = this.#options
    const pending = this.#pending.get(messageId)
    const underWay = this.#underWay.get(messageId) ?? Promise.resolve()
    if (pending) this.#forget(pending)
    if ((await within(clock, underWay, storeTimeoutSeconds * 1000)) === timedOut) {
      throw new StoreUnavailableError(
        'a commit of the message is on its way to the store: forget it once more',
      )
    }
    return pending !== undefined
  }

  /** Records what is pending for a resource, so that its next event is judged by it; says whether all is recorded. */
  async flush(resource: string): Promise<boolean> {
    const pending = this.#pendingOf.get(resource)
    return pending === undefined || (await this.#recommit(pending))
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost' | 'pending'> {
    const answer = await this.#try({ claim, retention })
    if (answer === 'lost') {
      this.#options.log.error(
        { messageId: claim.messageId },
        'the lease was lost before the commit: the retry decides what the newest state is',
      )
    }
    if (answer !== 'failed') return answer
    this.#options.log.warn(
      { messageId: claim.messageId },
      'done, but the store did not record it: trying again in the background',
    )
    this.#remember({ claim, retention })
    this.#retrying ??= this.#retry()
    return 'pending'
  }

  /** Waits for what is pending until `untilMs`; what is left by then is given up. */
  async close(untilMs: number): Promise<void> {
    const { clock, log } = this.#options
    // One try right now, however far off the next was.
    await Promise.all([...this.#pending.values()].map((pending) => this.#recommit(pending, awaited)))
    if (this.#pending.size > 0 && this.#retrying) {
      await within(clock, this.#retrying, Math.max(untilMs - clock.monotonic(), 0), awaited)
    }
    this.#closing.abort()
    if (this.#pending.size > 0) {
      log.error(
        { pending: this.#pending.size },
        'closing with commits that the store never recorded: their retries run again',
      )
    }
  }

  #remember(pending: Pending): void {
    const { messageId, resource } = pending.claim
    this.#pending.set(messageId, pending)
    if (resource !== undefined) this.#pendingOf.set(resource, pending)
    if (this.#pending.size <= mostPending) return
    const [oldest] = this.#pending.values()
    if (oldest) this.#forget(oldest)
  }

  #forget(pending: Pending): boolean {
    const { messageId, resource } = pending.claim
    if (resource !== undefined && this.#pendingOf.get(resource) === pending) this.#pendingOf.delete(resource)
    return this.#pending.get(messageId) === pending && this.#pending.delete(messageId)
  }

  async #retry(): Promise<void> {
    const { clock } = this.#options
    let pauseMs = retryFromMs
    while (this.#pending.size > 0 && !this.#closing.signal.aborted) {
      await delay(clock, pauseMs * (0.75 + Math.random() / 2), this.#closing.signal, inBackground)
      pauseMs = Math.min(pauseMs * 2, retryToMs)
      for (const pending of [...this.#pending.values()]) {
        // Forgotten on purpose while we waited: it must not become done again.
        if (this.#pending.get(pending.claim.messageId) !== pending) continue
        if (await this.#recommit(pending)) {
          pauseMs = retryFromMs
          continue
        }
        // The store is still away, so the others need not ask; should it be this one alone, they go first next time.
        if (this.#forget(pending)) this.#remember(pending)
        break
      }
    }
    // With no await since the last look: what comes to be pending from here on begins a loop of its own.
    this.#retrying = undefined
  }

  async #recommit(pending: Pending, options?: TimerOptions): Promise<boolean> {
    const { messageId } = pending.claim
    const answer = await this.#try(pending, options)
    if (answer === 'failed') return false
    this.#forget(pending)
    if (answer === 'lost') {
      this.#options.log.error(
        { messageId },
        'a commit came too late: another process has run the message, or a newer one',
      )
    }
    return true
  }

  async #try({ claim, retention }: Pending, options?: TimerOptions): Promise<'ok' | 'lost' | 'failed'> {
    const { ledger, clock, storeTimeoutSeconds } = this.#options
    try {
      const sent = this.#send(claim.messageId, commit(ledger, claim, retention))
      const answer = await within(clock, sent, storeTimeoutSeconds * 1000, options)
      return answer === timedOut ? 'failed' : answer
    } catch {
      return 'failed'
    }
  }

  #send<T>(messageId: string, sent: Promise<T>): Promise<T> {
    const all = Promise.allSettled([this.#underWay.get(messageId), sent]).then(() => {
      if (this.#underWay.get(messageId) === all) this.#underWay.delete(messageId)
    })
    this.#underWay.set(messageId, all)
    return sent
  }
}

// A ledger of the application's own may throw where it ought to reject.
async function commit(ledger: Ledger, claim: Claim, retention: Retention): Promise<'ok' | 'lost'> {
  return ledger.commit(claim, retention)
}
