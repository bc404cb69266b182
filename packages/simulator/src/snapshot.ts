import type { SnapshotError } from './snapshot-error.ts'
import { type Saved, SnapshotFile } from './snapshot-file.ts'

const leastDelayMs = 200

/** Named parts of a simulator, kept in one file; without a path nothing is kept. */
export class Snapshot {
  readonly #file: SnapshotFile | undefined
  readonly #saved: Saved
  readonly #parts = new Map<string, () => unknown>()
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  #delayMs = leastDelayMs

  private constructor(file?: SnapshotFile, saved: Saved = {}) {
    this.#file = file
    this.#saved = saved
  }

  /** Has the file for itself until it is closed or released. @throws SnapshotError */
  static async open(path: string | undefined): Promise<Snapshot> {
    if (path === undefined) return new Snapshot()
    const file = new SnapshotFile(path)
    try {
      return new Snapshot(file, await file.read())
    } catch (error) {
      file.release()
      throw error
    }
  }

  /** What was saved under that name, when it is of that kind; nothing when nothing was. @throws SnapshotError */
  saved<Part>(name: string, isPart: (saved: unknown) => saved is Part): Part | undefined {
    const part = this.#saved[name]
    if (part === undefined || isPart(part)) return part
    throw this.broken(`'${name}' is not as it was written`)
  }

  /** What is thrown where something that was saved cannot be taken up. */
  broken(what: string, cause?: unknown): SnapshotError | undefined {
    return this.#file?.broken(what, cause)
  }

  /** Saves what `part` gives under that name, from the next change on. */
  keep(name: string, part: () => unknown): void {
    this.#parts.set(name, part)
  }

  /** Saves a moment later; many changes are saved once. */
  changed(): void {
    if (!this.#file || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#save().catch((error: Error) => process.emitWarning(error))
    }, this.#delayMs)
    this.#timer.unref()
  }

  /** Saves once more. @throws SnapshotError when that fails */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      await this.#save()
    } finally {
      this.release()
    }
  }

  /** Leaves the file as it is. */
  release(): void {
    clearTimeout(this.#timer)
    this.#file?.release()
  }

  #save(): Promise<void> {
    this.#saving = this.#saving
      // One that failed has been reported; this one tries again.
      .catch(() => {})
      .then(() => this.#write())
    return this.#saving
  }

  async #write(): Promise<void> {
    const startedAtMs = performance.now()
    const parts = Object.fromEntries([...this.#parts].map(([name, part]) => [name, part()]))
    await this.#file?.replace(parts)
    // A large environment takes its time to write: it gets no more than a tenth of ours.
    this.#delayMs = Math.max(leastDelayMs, (performance.now() - startedAtMs) * 10)
  }
}
