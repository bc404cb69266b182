/** Counts what is under way, and tells when nothing is. */
export class Activity {
  #underWay = 0
  #waiting: (() => void)[] = []

  async track<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay++
    try {
      return await work
    } finally {
      this.#underWay--
      if (this.#underWay === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  async idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
