import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { errorCode, isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'

export type SnapshotErrorReason = 'unusable' | 'in-use' | 'broken'

/** The simulator cannot use its file, for example because another simulator uses the file. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
  readonly reason: SnapshotErrorReason

  constructor(reason: SnapshotErrorReason, message: string, cause?: unknown) {
    super(message, omitUndefined({ cause }))
    this.reason = reason
  }
}

const version = 1

/** Returns the saved parts. Without a file, returns an empty object. @throws SnapshotError */
export async function readSnapshotFile(path: string): Promise<Readonly<JsonObject>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return {}
    throw unusableFile(path, 'read', cause)
  }
  let saved: unknown
  try {
    saved = JSON.parse(text)
  } catch (cause) {
    throw brokenFile(path, 'the content is not JSON', cause)
  }
  if (!isJsonObject(saved) || !('version' in saved)) throw brokenFile(path, 'another program wrote the file')
  if (saved.version === version) return saved
  throw brokenFile(path, `the version is ${saved.version}, not ${version}`)
}

/**
 * Replaces the file atomically. So after a crash, the path has either the old file or the new file. Only the owner can
 * read the file, because the file contains secrets.
 * @throws SnapshotError
 */
export async function writeSnapshotFile(path: string, parts: JsonObject): Promise<void> {
  const draft = `${path}.${process.pid}.draft`
  try {
    await writeFile(draft, JSON.stringify({ version, ...parts }), { mode: 0o600, flush: true })
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw unusableFile(path, 'written', cause)
  }
}

export function brokenFile(path: string, problem: string, cause?: unknown): SnapshotError {
  const hint = 'To start with an empty environment, delete or move the file.'
  return new SnapshotError('broken', `${path} cannot be loaded: ${problem}. ${hint}`, cause)
}

function unusableFile(path: string, verb: 'read' | 'written', cause: unknown): SnapshotError {
  const hint = 'Choose a file that you can read and write, in an existing folder.'
  return new SnapshotError('unusable', `${path} cannot be ${verb} (${errorCode(cause)}). ${hint}`, cause)
}

// ── The lock: a file next to the snapshot, with the id of its process ──

/**
 * The locks of this process. The process id alone is not enough. In a container, an earlier process can have the same
 * id.
 */
const ownMarks = new Set<string>()

/**
 * Locks the file, and returns a function that releases the lock. Replaces the lock of a process that has ended. A
 * successful call also proves that the folder is writable.
 *
 * The function is synchronous, so that two simulators that start at the same time rarely collide.
 * @throws SnapshotError
 */
export function lockSnapshotFile(path: string): () => void {
  const lockPath = `${path}.lock`
  const mark = `${process.pid} ${randomUUID()}`
  try {
    while (!isCreated(lockPath, mark)) {
      const holder = holderOf(lockPath)
      if (holder !== undefined) {
        const hint = `Stop that simulator, or choose another file. If that process is not a simulator, delete ${lockPath}.`
        throw new SnapshotError(
          'in-use',
          `${path} is in use by the simulator with process id ${holder}. ${hint}`,
        )
      }
      rmSync(lockPath, { force: true })
    }
  } catch (cause) {
    throw cause instanceof SnapshotError ? cause : unusableFile(path, 'written', cause)
  }
  ownMarks.add(mark)
  return () => {
    ownMarks.delete(mark)
    rmSync(lockPath, { force: true })
  }
}

function isCreated(lockPath: string, mark: string): boolean {
  try {
    writeFileSync(lockPath, mark, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Returns the id of the running process that has the lock. */
function holderOf(lockPath: string): number | undefined {
  try {
    const mark = readFileSync(lockPath, 'utf8')
    const pid = Number.parseInt(mark, 10)
    const isHeld = pid === process.pid ? ownMarks.has(mark) : isRunning(pid)
    return isHeld ? pid : undefined
  } catch (error) {
    // The other simulator has just released its lock.
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    // The process is running as another user.
    return errorCode(error) === 'EPERM'
  }
}
