import { type Clock, type Deadline, timedOut, within } from '../base/clock.ts'
import type { DispatchOutcome } from '../events/outcome.ts'

/** The messages that this process works on. Copies of a message wait for the copy that runs. */
export class MessageRuns {
  readonly #clock: Clock
  readonly #outcomes = new Map<string, Promise<DispatchOutcome>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Stores a run until it ends. */
  add(messageId: string, run: Promise<DispatchOutcome>): Promise<DispatchOutcome> {
    const outcome = run.finally(() => this.#outcomes.delete(messageId))
    this.#outcomes.set(messageId, outcome)
    return outcome
  }

  has(messageId: string): boolean {
    return this.#outcomes.has(messageId)
  }

  /**
   * Waits for the run of a message, and returns the outcome for a copy of the message. Returns `undefined` if the run
   * never began its handlers.
   */
  async outcomeOfCopy(messageId: string, deadline: Deadline): Promise<DispatchOutcome | undefined> {
    const run = this.#outcomes.get(messageId)
    if (!run) return undefined
    const ended = await within(this.#clock, run, deadline.leftMs)
    return ended === timedOut ? { outcome: 'in-flight' } : copyOf(ended)
  }

  get size(): number {
    return this.#outcomes.size
  }

  /** Resolves when all runs that are active now have ended. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#outcomes.values())
  }
}

function copyOf({ outcome }: DispatchOutcome): DispatchOutcome | undefined {
  switch (outcome) {
    case 'processed':
    case 'dropped':
    case 'duplicate':
      return { outcome: 'duplicate' }
    case 'stale':
    case 'lost':
    case 'store-unavailable':
      return { outcome }
    case 'handler-failed':
      return { outcome, reason: 'another attempt at the message failed' }
    default:
      return undefined
  }
}
