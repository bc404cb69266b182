import type { Clock, Timer } from '@scalekit-scim/core'

interface HeldMessage {
  /** The messages that must be tried first. */
  readonly awaited: Set<number>
  /** How many further messages will be awaited. */
  open: number
  readonly timer: Timer
  readonly release: () => void
}

/**
 * Holds messages to one endpoint until later messages have been tried. The later messages are chosen when they are
 * sent, not by the order of replies, so the choice is the same in each run.
 */
export class Reordering {
  readonly #clock: Clock
  readonly #held = new Set<HeldMessage>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Calls `release` once the next `past` messages have been tried, or after `maxMs`. Returns a function that cancels it.
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

  /** To be called when a message is sent. */
  begin(ordinal: number): void {
    for (const held of this.#held) {
      if (held.open === 0) continue
      held.open--
      held.awaited.add(ordinal)
    }
  }

  /** To be called when the first attempt of a message has ended, or will not be made. */
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
