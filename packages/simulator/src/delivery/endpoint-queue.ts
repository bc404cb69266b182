import type { Clock, Timer } from '@scalekit-scim/core'
import fastq from 'fastq'

interface HeldMessage {
  /** The messages that must have their first attempt before this message is released. */
  readonly awaited: Set<number>
  /** How many of the next messages will also be awaited. */
  open: number
  readonly timer: Timer
  readonly release: () => void
}

/**
 * The scheduled attempts to one endpoint. Limits the number of attempts at the same time, and holds messages until later
 * messages have been tried. A held message always awaits the messages that are sent next. The order of replies does not
 * matter, so each run awaits the same messages.
 */
export class EndpointQueue {
  readonly #clock: Clock
  readonly #attempts: fastq.queueAsPromised<() => Promise<void>>
  readonly #held = new Set<HeldMessage>()

  constructor(clock: Clock, connections: number) {
    this.#clock = clock
    this.#attempts = fastq.promise(async (attempt) => attempt(), connections)
  }

  /** Resolves when the attempt has been made. */
  push(attempt: () => Promise<void>): Promise<void> {
    return this.#attempts.push(attempt)
  }

  /**
   * Calls `release` when the next `past` messages have been tried, or after `maxMs`. Returns a function that cancels
   * the wait.
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

  /** Call this when a message is sent. */
  begin(ordinal: number): void {
    for (const held of this.#held) {
      if (held.open === 0) continue
      held.open--
      held.awaited.add(ordinal)
    }
  }

  /** Call this when the first attempt of a message has ended, or if it will not be made. */
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
