/** Counts pending work. `idle` resolves when all work has ended. */
export class Activity {
  #pending = 0
  #waiting: (() => void)[] = []

  async track<Result>(work: Promise<Result>): Promise<Result> {
    this.#pending++
    try {
      return await work
    } finally {
      this.#pending--
      if (this.#pending === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  async idle(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
