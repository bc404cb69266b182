import fastq from 'fastq'
import { z } from 'zod'
import { storedDeliveries } from '../delivery/stored.ts'
import { environmentSnapshot } from '../environment/records.ts'
import { brokenFile, lockSnapshotFile, readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts'

const minDelayMs = 200

const savedState = z.looseObject({
  clockMs: z.number().exactOptional(),
  environment: environmentSnapshot.exactOptional(),
  deliveries: storedDeliveries.exactOptional(),
})

/** The saved parts of a simulator. */
export type SavedState = z.infer<typeof savedState>

/** The state of a simulator in a file. Without a path, the methods save nothing. */
export class Snapshot {
  readonly saved: SavedState
  readonly #path: string | undefined
  readonly #unlock: () => void
  #state: () => SavedState = () => this.saved
  #timer: NodeJS.Timeout | undefined
  /** Saves run one after another. A failure does not prevent later saves. */
  readonly #saves = fastq.promise<unknown, void, void>(async () => this.#write(), 1)
  #delayMs = minDelayMs

  private constructor(path?: string, saved: SavedState = {}, unlock = () => {}) {
    this.saved = saved
    this.#path = path
    this.#unlock = unlock
  }

  /** Locks the file until `close` or `release`. @throws SnapshotError */
  static async open(path: string | undefined): Promise<Snapshot> {
    if (path === undefined) return new Snapshot()
    const unlock = lockSnapshotFile(path)
    try {
      const { data, error } = savedState.safeParse(await readSnapshotFile(path))
      if (error) throw brokenFile(path, `'${String(error.issues[0]?.path[0])}' is invalid`)
      return new Snapshot(path, data, unlock)
    } catch (error) {
      unlock()
      throw error
    }
  }

  /** Sets the function that returns the state for later saves. */
  keep(state: () => SavedState): void {
    this.#state = state
  }

  /** Saves after a short delay, so that one save contains many changes. */
  changed(): void {
    if (this.#path === undefined || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#saves.push().catch((error: Error) => process.emitWarning(error))
    }, this.#delayMs).unref()
  }

  /** Saves once more, and releases the lock. @throws SnapshotError if the save fails */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      await this.#saves.push()
    } finally {
      this.release()
    }
  }

  /** Releases the lock without saving. */
  release(): void {
    clearTimeout(this.#timer)
    this.#unlock()
  }

  async #write(): Promise<void> {
    if (this.#path === undefined) return
    const startedAtMs = performance.now()
    await writeSnapshotFile(this.#path, this.#state())
    // A large environment takes long to write. With the delay, writing takes at most a tenth of the time.
    this.#delayMs = Math.max(minDelayMs, (performance.now() - startedAtMs) * 10)
  }
}
