import type { Clock, Timer } from '@scalekit-scim/core'
import fastq from 'fastq'

interface HeldMessage {
  /** The messages whose first attempts this message waits for. */
  readonly awaited: Set<number>
  /** The number of further messages that this message waits for. */
  open: number
  readonly timer: Timer
  readonly release: () => void
}

/**
 * The scheduled attempts to one endpoint. Limits the number of attempts at the same time. Can delay a message until the
 * first attempts of later messages have ended. The order of the replies does not determine which messages a message
 * waits for. So runs with the same seed have the same results.
 */
export class EndpointQueue {
  readonly #clock: Clock
  readonly #attempts: fastq.queueAsPromised<() => Promise<void>>
  readonly #held = new Set<HeldMessage>()

  constructor(clock: Clock, connections: number) {
    this.#clock = clock
    this.#attempts = fastq.promise(async (attempt) => attempt(), connections)
  }

  /** Adds an attempt. Resolves when the attempt has ended. */
  push(attempt: () => Promise<void>): Promise<void> {
    return this.#attempts.push(attempt)
  }

  /**
   * Calls `release` when the first attempts of the next `past` messages have ended, or after `maxMs`. Returns a
   * function that cancels the wait.
   */
  hold(past: number, maxMs: number, release: () => void): () => void {
    const held: HeldMessage = {
      awaited: new Set(),
      open: past,
      timer: this.#clock.setTimeout(() => this.#release(held), maxMs),
      release,
    }
    this.#held.add(held)
    return () => {
      held.timer.cancel()
      this.#held.delete(held)
    }
  }

  /** Records that a message was sent. */
  begin(ordinal: number): void {
    for (const held of this.#held) {
      if (held.open === 0) continue
      held.open--
      held.awaited.add(ordinal)
    }
  }

  /**
   * Records the end of the first attempt of a message. If the delivery has ended without an attempt, also call `end`.
   */
  end(ordinal: number): void {
    for (const held of this.#held) {
      if (held.awaited.delete(ordinal) && held.awaited.size === 0 && held.open === 0) this.#release(held)
    }
  }

  #release(held: HeldMessage): void {
    held.timer.cancel()
    if (this.#held.delete(held)) held.release()
  }
}
