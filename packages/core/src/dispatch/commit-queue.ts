import { callAsync } from '../base/application-calls.ts'
import {
  awaited,
  type Deadline,
  delay,
  inBackground,
  type TimerOptions,
  timedOut,
  within,
} from '../base/clock.ts'
import { StoreUnavailableError } from '../base/errors.ts'
import { randomnessOf } from '../base/randomness.ts'
import type { Claim, Retention } from '../ledger/ledger.ts'
import type { OpenConfiguration } from './open-store.ts'

interface PendingCommit {
  claim: Claim
  retention: Retention
}

const firstRetryMs = 250
/**
 * The longest pause between retries, in ms. A short pause makes it likely that a recovered store receives the commit
 * before another process begins the message.
 */
const longestRetryMs = 2000
/** The maximum number of commits in the queue. If more commits arrive, the queue drops the oldest commits. */
const maxPending = 100_000

/**
 * Commits events after their handlers have succeeded. A store failure does not make the event fail, because the
 * handler's effect already exists. The queue retries the commit in the background. Until a retry succeeds, this process
 * treats copies of the message as duplicates.
 */
export class CommitQueue {
  readonly #config: OpenConfiguration
  readonly #pending = new Map<string, PendingCommit>()
  /** The newest pending commit of each resource. */
  readonly #newest = new Map<string, PendingCommit>()
  /** For each message, the calls that the store has not answered yet. */
  readonly #underWay = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()
  #retrying: Promise<void> | undefined

  constructor(config: OpenConfiguration) {
    this.#config = config
  }

  /** The number of commits that are not recorded yet, and of messages with an unanswered call. */
  get sizes() {
    return { pending: this.#pending.size, underWay: this.#underWay.size }
  }

  isPending(messageId: string): boolean {
    return this.#pending.has(messageId)
  }

  /**
   * Drops the pending commit of a message that `forget()` removes. Returns whether a pending commit existed. Waits for
   * commit calls that are under way, because such a call could mark the message as done again.
   * @throws StoreUnavailableError if the store does not answer those calls in time
   */
  async drop(messageId: string): Promise<boolean> {
    const { clock, storeTimeoutMs } = this.#config
    const pending = this.#pending.get(messageId)
    const underWay = Promise.allSettled([this.#underWay.get(messageId)])
    if (pending) this.#remove(pending)
    if ((await within(clock, underWay, storeTimeoutMs)) === timedOut) {
      throw new StoreUnavailableError(
        'the store has not yet answered a commit of the message: call forget() again',
      )
    }
    return pending !== undefined
  }

  /**
   * Retries the pending commit of a resource, so that the resource's next event can begin. If the store did not record
   * the commit, returns `false`.
   */
  async flush(resource: string): Promise<boolean> {
    const pending = this.#newest.get(resource)
    return pending === undefined || (await this.#recommit(pending))
  }

  async commit(claim: Claim, retention: Retention): Promise<'ok' | 'lost' | 'pending'> {
    const answer = await this.#attempt({ claim, retention })
    if (answer === 'lost') {
      this.#config.log.error(
        { messageId: claim.messageId },
        'the lease was lost before the commit, so the store did not record the event. The sender tries again',
      )
    }
    if (answer !== 'failed') return answer
    if (this.#closing.signal.aborted) {
      this.#config.log.error(
        { messageId: claim.messageId },
        'closed before the store recorded the event: if the message comes again, its handlers run again',
      )
      return 'pending'
    }
    this.#config.log.warn(
      { messageId: claim.messageId },
      'the event is done, but the store did not record it: trying again in the background',
    )
    this.#add({ claim, retention })
    this.#retrying ??= this.#retry()
    return 'pending'
  }

  /** Waits for pending commits until the deadline. Then drops the commits that are still pending. */
  async close(deadline: Deadline): Promise<void> {
    const { clock, log } = this.#config
    // Try each commit once now, without a pause before the retry.
    await Promise.all([...this.#pending.values()].map((pending) => this.#recommit(pending, awaited)))
    if (this.#pending.size > 0 && this.#retrying) {
      await within(clock, this.#retrying, Math.max(deadline.leftMs, 0), awaited)
    }
    this.#closing.abort()
    if (this.#pending.size > 0) {
      log.error(
        { pending: this.#pending.size },
        'closed before the store recorded all commits: if these messages come again, their handlers run again',
      )
    }
  }

  #add(pending: PendingCommit): void {
    const { messageId, resource } = pending.claim
    this.#pending.set(messageId, pending)
    if (resource !== undefined) this.#newest.set(resource, pending)
    if (this.#pending.size <= maxPending) return
    const [oldest] = this.#pending.values()
    if (oldest) this.#remove(oldest)
  }

  #remove(pending: PendingCommit): boolean {
    const { messageId, resource } = pending.claim
    if (resource !== undefined && this.#newest.get(resource) === pending) this.#newest.delete(resource)
    return this.#pending.get(messageId) === pending && this.#pending.delete(messageId)
  }

  async #retry(): Promise<void> {
    const { clock } = this.#config
    let pauseMs = firstRetryMs
    while (this.#pending.size > 0 && !this.#closing.signal.aborted) {
      await delay(
        clock,
        pauseMs * (0.75 + randomnessOf(clock).fraction() / 2),
        this.#closing.signal,
        inBackground,
      )
      pauseMs = Math.min(pauseMs * 2, longestRetryMs)
      // The iterator skips commits that forget() drops during the loop.
      for (const pending of this.#pending.values()) {
        if (!(await this.#recommit(pending))) {
          // The store is probably down, so the other commits wait. This commit moves to the end of the queue, because
          // the error can be specific to this commit.
          if (this.#remove(pending)) this.#add(pending)
          break
        }
        pauseMs = firstRetryMs
      }
    }
    // No `await` ran after the loop's last check. A commit that becomes pending after this line starts a new loop.
    this.#retrying = undefined
  }

  async #recommit(pending: PendingCommit, options?: TimerOptions): Promise<boolean> {
    const { messageId } = pending.claim
    const answer = await this.#attempt(pending, options)
    if (answer === 'failed') return false
    this.#remove(pending)
    if (answer === 'lost') {
      this.#config.log.error(
        { messageId },
        'a commit came too late: another process has run this message or a newer event',
      )
    }
    return true
  }

  async #attempt(
    { claim, retention }: PendingCommit,
    options?: TimerOptions,
  ): Promise<'ok' | 'lost' | 'failed'> {
    const { ledger, clock, storeTimeoutMs } = this.#config
    const sent = callAsync(() => ledger.commit(claim, retention))
    this.#track(claim.messageId, sent)
    try {
      const answer = await within(clock, sent, storeTimeoutMs, options)
      return answer === timedOut ? 'failed' : answer
    } catch {
      return 'failed'
    }
  }

  #track(messageId: string, sent: Promise<unknown>): void {
    const earlier = this.#underWay.get(messageId)
    const all = earlier ? Promise.allSettled([earlier, sent]) : sent
    const remove = () => {
      if (this.#underWay.get(messageId) === all) this.#underWay.delete(messageId)
    }
    this.#underWay.set(messageId, all)
    all.then(remove, remove)
  }
}
