import type { Clock, Timer } from '@scalekit-scim/core'

interface Due {
  atMs: number
  callback: () => void
}

/** A clock that advances in whole milliseconds, after all work of the current moment is done. */
export class VirtualTime {
  #nowMs = Date.parse('2026-01-05T09:00:00Z')
  readonly #startMs = this.#nowMs
  readonly #due = new Set<Due>()

  readonly clock: Clock = {
    now: () => this.#nowMs,
    monotonic: () => this.#nowMs - this.#startMs,
    setTimeout: (callback, delayMs) => this.#set(callback, delayMs),
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get elapsedMs(): number {
    return this.#nowMs - this.#startMs
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#set(resolve, delayMs))
  }

  /** Runs timers, one after the other, until the work has settled. */
  async settle<Result>(work: Promise<Result>): Promise<Result> {
    let settled = false
    const end = () => {
      settled = true
    }
    work.then(end, end)
    for (;;) {
      await everythingElse()
      if (settled) return work
      const next = this.#next(Number.POSITIVE_INFINITY)
      if (!next) throw new Error('the work never ends: no timer is left that it could wait for')
      this.#fire(next)
    }
  }

  /** Advances the time, and runs the timers that are due. */
  async advance(delayMs: number): Promise<void> {
    const untilMs = this.#nowMs + Math.ceil(delayMs)
    await everythingElse()
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#fire(next)
      await everythingElse()
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  #set(callback: () => void, delayMs: number): Timer {
    const due = { atMs: this.#nowMs + Math.ceil(Math.max(delayMs, 0)), callback }
    this.#due.add(due)
    return { cancel: () => void this.#due.delete(due) }
  }

  #next(untilMs: number): Due | undefined {
    let next: Due | undefined
    for (const due of this.#due) {
      if (due.atMs <= untilMs && (!next || due.atMs < next.atMs)) next = due
    }
    return next
  }

  #fire(due: Due): void {
    this.#due.delete(due)
    this.#nowMs = Math.max(this.#nowMs, due.atMs)
    due.callback()
  }
}

/** Resolves after all pending promises have settled. */
function everythingElse(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
