import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { errorCode } from '@scalekit-scim/core/internal'

/**
 * The locks of this process. The process id is not enough: in a container, an earlier process can have had the same id.
 */
const ownMarks = new Set<string>()

export interface FileLock {
  release(): void
}

/**
 * Takes a lock, which is a file with the id of its process. Takes over the lock of a process that has ended. The
 * function is synchronous, so that two simulators that start at the same time rarely collide.
 */
export function takeFileLock(path: string): FileLock | { heldBy: number } {
  const mark = `${process.pid} ${randomUUID()}`
  while (!isCreated(path, mark)) {
    const heldBy = holderOf(path)
    if (heldBy !== undefined) return { heldBy }
    rmSync(path, { force: true })
  }
  ownMarks.add(mark)
  return {
    release() {
      ownMarks.delete(mark)
      rmSync(path, { force: true })
    },
  }
}

function isCreated(path: string, mark: string): boolean {
  try {
    writeFileSync(path, mark, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

function holderOf(path: string): number | undefined {
  try {
    const mark = readFileSync(path, 'utf8')
    const pid = Number.parseInt(mark, 10)
    const isHeld = pid === process.pid ? ownMarks.has(mark) : isRunning(pid)
    return isHeld ? pid : undefined
  } catch (error) {
    // The lock was released in the meantime.
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function isRunning(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    // The process is running, but as another user.
    return errorCode(error) === 'EPERM'
  }
}
