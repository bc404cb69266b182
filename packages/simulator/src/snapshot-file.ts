import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { errorCode } from '@scalekit-scim/core/internal'
import { type FileLock, takeFileLock } from './file-lock.ts'
import { SnapshotError } from './snapshot-error.ts'

const version = 1

export type Saved = Readonly<Record<string, unknown>>

/** The JSON file of one simulator, which has it alone until it is released. */
export class SnapshotFile {
  readonly #path: string
  readonly #lock: FileLock

  /** Shows too that the folder can be written to, before there is anything to lose. @throws SnapshotError */
  constructor(path: string) {
    this.#path = path
    this.#lock = this.#take(`${path}.lock`)
  }

  /** Nothing, where there is no file. @throws SnapshotError */
  async read(): Promise<Saved> {
    let text: string
    try {
      text = await readFile(this.#path, 'utf8')
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return {}
      throw this.#unusable('read', cause)
    }
    const saved = this.#parsed(text)
    if (typeof saved !== 'object' || saved === null || !('version' in saved)) {
      throw this.broken('it is not one of the simulator')
    }
    if (saved.version !== version) throw this.broken(`it is of version ${saved.version}, not ${version}`)
    return { ...saved }
  }

  /**
   * Readers, and a start after a crash, see the old file or the new one. It holds secrets: others may not read it.
   * @throws SnapshotError
   */
  async replace(parts: Saved): Promise<void> {
    const draft = `${this.#path}.${process.pid}.draft`
    try {
      await writeFile(draft, JSON.stringify({ version, ...parts }), { mode: 0o600, flush: true })
      await rename(draft, this.#path)
    } catch (cause) {
      await rm(draft, { force: true })
      throw this.#unusable('written', cause)
    }
  }

  release(): void {
    this.#lock.release()
  }

  broken(what: string, cause?: unknown): SnapshotError {
    const hint = 'Delete or move the file to start with an empty environment.'
    return new SnapshotError('broken', `${this.#path} cannot be taken up: ${what}. ${hint}`, cause)
  }

  #take(lockPath: string): FileLock {
    let lock: ReturnType<typeof takeFileLock>
    try {
      lock = takeFileLock(lockPath)
    } catch (cause) {
      throw this.#unusable('written', cause)
    }
    if (!('heldBy' in lock)) return lock
    const hint = `Stop that one, or give another file; where that process is no simulator, delete ${lockPath}.`
    throw new SnapshotError(
      'in-use',
      `${this.#path} is kept by the simulator of process ${lock.heldBy}. ${hint}`,
    )
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw this.broken('it is not JSON', cause)
    }
  }

  #unusable(what: 'read' | 'written', cause: unknown): SnapshotError {
    const hint = 'Give a file that you may read and write, in a folder that is there.'
    return new SnapshotError(
      'unusable',
      `${this.#path} cannot be ${what} (${errorCode(cause)}). ${hint}`,
      cause,
    )
  }
}
