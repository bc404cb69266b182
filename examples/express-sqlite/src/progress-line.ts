import type { SyncProgress } from '@scalekit-scim/core/sync'

const width = 24
const everyMs = 100

/** How far a pass is, on a terminal: one line that is written over and over. Elsewhere it says nothing. */
export function progressLine(terminal: NodeJS.WriteStream): {
  show(progress: SyncProgress): void
  clear(): void
} {
  let shownAt = 0
  return {
    show({ directories, directoriesDone, seen, totalSize }) {
      if (!terminal.isTTY || Date.now() - shownAt < everyMs) return
      shownAt = Date.now()
      const done = Math.round((width * Math.min(seen, totalSize)) / Math.max(totalSize, 1))
      const bar = '█'.repeat(done).padEnd(width, '░')
      terminal.write(
        `\r\x1b[2K${bar} ${seen} of ${totalSize} records, ${directoriesDone} of ${directories} directories`,
      )
    },
    clear() {
      if (terminal.isTTY) terminal.write('\r\x1b[2K')
    },
  }
}
