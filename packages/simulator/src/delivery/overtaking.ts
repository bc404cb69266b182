import type { Clock, Timer } from '@scalekit-scim/core'

interface Held {
  /** The ordinals that it still waits for. */
  readonly awaited: Set<number>
  /** How many more messages may become such. */
  open: number
  readonly timer: Timer
  readonly release: () => void
}

/**
 * Messages to one endpoint that others overtake. Which ones do is decided when those are sent, not by whose reply
 * comes first: so it is the same in each run.
 */
export class Overtaking {
  readonly #clock: Clock
  readonly #held = new Set<Held>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `release` when the next `past` messages have been tried once, or the time is over; gives what stops that. */
  hold(past: number, atMostMs: number, release: () => void): () => void {
    const held: Held = {
      awaited: new Set(),
      open: past,
      timer: this.#clock.setTimeout(() => this.#release(held), atMostMs),
      release,
    }
    this.#held.add(held)
    return () => {
      held.timer.cancel()
      this.#held.delete(held)
    }
  }

  /** A message sets out. */
  begin(ordinal: number): void {
    for (const held of this.#held) {
      if (held.open === 0) continue
      held.open--
      held.awaited.add(ordinal)
    }
  }

  /** Its first attempt has ended, or will never come. */
  end(ordinal: number): void {
    for (const held of this.#held) {
      if (held.awaited.delete(ordinal) && held.awaited.size === 0 && held.open === 0) this.#release(held)
    }
  }

  #release(held: Held): void {
    held.timer.cancel()
    if (this.#held.delete(held)) held.release()
  }
}
