/** The events of a history, as lines that a person can read. */
export class Story {
  readonly isTold: boolean
  readonly #lines: { atMs: number; text: string }[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number, isTold: boolean) {
    this.#nowMs = nowMs
    this.isTold = isTold
  }

  /** Adds a line. The text is made only if the story is printed. */
  tell(text: () => string, atMs = this.#nowMs()): void {
    if (this.isTold) this.#lines.push({ atMs, text: text() })
  }

  get lines(): string[] {
    return this.#lines
      .toSorted((a, b) => a.atMs - b.atMs)
      .map(({ atMs, text }) => `${(atMs / 1000).toFixed(3).padStart(10)}  ${text}`)
  }
}
