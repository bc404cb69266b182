import type { JsonObject } from '@scalekit-scim/core/internal'
import type { FileLock } from './file-lock.ts'
import type { SnapshotError } from './snapshot-error.ts'
import { brokenFile, lockSnapshotFile, readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts'

const minDelayMs = 200

interface LockedFile {
  path: string
  lock: FileLock
}

/** Saves the named parts of a simulator in one file. Without a path, nothing is saved. */
export class Snapshot {
  readonly #file: LockedFile | undefined
  readonly #saved: Readonly<JsonObject>
  readonly #parts = new Map<string, () => unknown>()
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()
  #delayMs = minDelayMs

  private constructor(file?: LockedFile, saved: Readonly<JsonObject> = {}) {
    this.#file = file
    this.#saved = saved
  }

  /** Locks the file until `close` or `release`. @throws SnapshotError */
  static async open(path: string | undefined): Promise<Snapshot> {
    if (path === undefined) return new Snapshot()
    const lock = lockSnapshotFile(path)
    try {
      return new Snapshot({ path, lock }, await readSnapshotFile(path))
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Returns the saved part of that name, or `undefined` if it was not saved. @throws SnapshotError if it is invalid */
  saved<Part>(name: string, isPart: (saved: unknown) => saved is Part): Part | undefined {
    const part = this.#saved[name]
    if (part === undefined || isPart(part)) return part
    throw this.broken(`'${name}' is invalid`)
  }

  /** The error for a saved part that cannot be restored. */
  broken(problem: string, cause?: unknown): SnapshotError | undefined {
    return this.#file && brokenFile(this.#file.path, problem, cause)
  }

  /** From the next change on, saves the result of `part` under that name. */
  keep(name: string, part: () => unknown): void {
    this.#parts.set(name, part)
  }

  /** Saves after a short delay, so that many changes are saved together. */
  changed(): void {
    if (!this.#file || this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#save().catch((error: Error) => process.emitWarning(error))
    }, this.#delayMs).unref()
  }

  /** Saves once more, and releases the lock. @throws SnapshotError if the save fails */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      await this.#save()
    } finally {
      this.release()
    }
  }

  /** Releases the lock without saving. */
  release(): void {
    clearTimeout(this.#timer)
    this.#file?.lock.release()
  }

  #save(): Promise<void> {
    // An earlier failure has already been reported, and this save is a new try.
    this.#saving = this.#saving.catch(() => {}).then(() => this.#write())
    return this.#saving
  }

  async #write(): Promise<void> {
    if (!this.#file) return
    const startedAtMs = performance.now()
    const parts = Object.fromEntries([...this.#parts].map(([name, part]) => [name, part()]))
    await writeSnapshotFile(this.#file.path, parts)
    // A large environment takes a long time to write. With this delay, saving takes at most a tenth of the time.
    this.#delayMs = Math.max(minDelayMs, (performance.now() - startedAtMs) * 10)
  }
}
