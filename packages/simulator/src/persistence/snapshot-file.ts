import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { errorCode, isJsonObject, type JsonObject } from '@scalekit-scim/core/internal'
import { type FileLock, takeFileLock } from './file-lock.ts'
import { SnapshotError } from './snapshot-error.ts'

const version = 1

/**
 * Locks the file. This also proves that the folder is writable, before there are changes to lose. @throws SnapshotError
 */
export function lockSnapshotFile(path: string): FileLock {
  const lockPath = `${path}.lock`
  let lock: ReturnType<typeof takeFileLock>
  try {
    lock = takeFileLock(lockPath)
  } catch (cause) {
    throw unusableFile(path, 'written', cause)
  }
  if (!('heldBy' in lock)) return lock
  const hint = `Stop that simulator, or choose another file. If that process is not a simulator, delete ${lockPath}.`
  throw new SnapshotError(
    'in-use',
    `${path} is in use by the simulator with process id ${lock.heldBy}. ${hint}`,
  )
}

/** Returns the saved parts, or an empty object if there is no file. @throws SnapshotError */
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
    throw brokenFile(path, 'it is not JSON', cause)
  }
  if (!isJsonObject(saved) || !('version' in saved)) throw brokenFile(path, 'it is not a simulator file')
  if (saved.version === version) return saved
  throw brokenFile(path, `its version is ${saved.version}, not ${version}`)
}

/**
 * Replaces the file atomically: a reader, or a start after a crash, gets either the old file or the new one. The file
 * contains secrets, so only its owner may read it.
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
  const hint = 'Delete or move the file to start with an empty environment.'
  return new SnapshotError('broken', `${path} cannot be loaded: ${problem}. ${hint}`, cause)
}

function unusableFile(path: string, verb: 'read' | 'written', cause: unknown): SnapshotError {
  const hint = 'Choose a file that you can read and write, in an existing folder.'
  return new SnapshotError('unusable', `${path} cannot be ${verb} (${errorCode(cause)}). ${hint}`, cause)
}
