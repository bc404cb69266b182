import type { VirtualTime } from './virtual-time.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The events of a history, as readable lines. */
export class Story {
  readonly lines: string[] = []
  readonly violations: string[] = []
  readonly #time: VirtualTime
  readonly #approvals = new Map<string, string>()

  constructor(time: VirtualTime) {
    this.#time = time
  }

  tell(text: string): void {
    this.lines.push(`${this.#when()}  ${text}`)
  }

  /** Adds a violation. */
  accuse(text: string): void {
    this.violations.push(text)
    this.lines.push(`${this.#when()}  !!! ${text}`)
  }

  /** Returns a short name for an approval, such as A1 for the first approval. */
  nameOf(approval: string): string {
    const name = this.#approvals.get(approval) ?? `A${this.#approvals.size + 1}`
    this.#approvals.set(approval, name)
    return name
  }

  #when(): string {
    const ms = this.#time.elapsedMs
    const rest = new Date(ms % dayMs).toISOString().slice(11, 19)
    return `day ${String(Math.floor(ms / dayMs)).padStart(3)} ${rest}`
  }
}
