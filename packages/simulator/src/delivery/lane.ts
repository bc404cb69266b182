/** Runs work in its order of arrival, so much of it at a time: an endpoint's share of connections. */
export class Lane {
  readonly #width: number
  #running = 0
  #waiting: (() => void)[] = []
  #head = 0

  constructor(width: number) {
    this.#width = width
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#width) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      await work()
    } finally {
      this.#passOn()
    }
  }

  /** The place goes to who waits longest. A shift of each would move a queue of 100 000 each time. */
  #passOn(): void {
    const next = this.#waiting[this.#head]
    if (!next) {
      this.#running--
      return
    }
    this.#head++
    if (this.#head > 1000 && this.#head > this.#waiting.length / 2) {
      this.#waiting = this.#waiting.slice(this.#head)
      this.#head = 0
    }
    next()
  }
}
