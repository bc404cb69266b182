import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { errorCode } from '@scalekit-scim/core/internal'

/** The id of the process does not tell these from those of an earlier one: in a container both may have the same. */
const heldHere = new Set<string>()

export interface FileLock {
  release(): void
}

/**
 * Takes a lock: a file that says which process has it. One that was left behind by a process that is gone is taken
 * over. Nothing is awaited on the way, so that two who start together hardly meet.
 */
export function takeFileLock(path: string): FileLock | { heldBy: number } {
  const mark = `${process.pid} ${randomUUID()}`
  while (!created(path, mark)) {
    const heldBy = holderOf(path)
    if (heldBy !== undefined) return { heldBy }
    rmSync(path, { force: true })
  }
  heldHere.add(mark)
  return {
    release() {
      heldHere.delete(mark)
      rmSync(path, { force: true })
    },
  }
}

function created(path: string, mark: string): boolean {
  try {
    writeFileSync(path, mark, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

function holderOf(path: string): number | undefined {
  const mark = markIn(path)
  const pid = Number.parseInt(mark, 10)
  const isHeld = pid === process.pid ? heldHere.has(mark) : isRunning(pid)
  return isHeld ? pid : undefined
}

function markIn(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // It was released meanwhile.
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  }
}

function isRunning(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It runs, and is another user's.
    return errorCode(error) === 'EPERM'
  }
}
