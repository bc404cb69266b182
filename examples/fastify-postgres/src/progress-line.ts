import type { SyncProgress } from '@scalekit-scim/core/sync'

const width = 24
const everyMs = 100
const silenceMs = 5000
const silenceText = `No progress for ${silenceMs / 1000} s: the sync retries failed calls to Scalekit's API for a minute or more\n`

/**
 * Shows the progress of a pass. On a terminal, overwrites one line at each change. Without a terminal, reports only
 * long pauses.
 */
export function progressLine(terminal: NodeJS.WriteStream): {
  show(progress: SyncProgress): void
  clear(): void
} {
  let shownAt = 0
  const clear = () => void (terminal.isTTY && terminal.write('\r\x1b[2K'))
  const silence = setTimeout(() => {
    clear()
    terminal.write(silenceText)
  }, silenceMs)
  return {
    show({ directories, directoriesDone, seen, totalSize }) {
      silence.refresh()
      if (!terminal.isTTY || Date.now() - shownAt < everyMs) return
      shownAt = Date.now()
      const done = Math.round((width * Math.min(seen, totalSize)) / Math.max(totalSize, 1))
      const bar = '█'.repeat(done).padEnd(width, '░')
      terminal.write(
        `\r\x1b[2K${bar} ${seen} of ${totalSize} records, ${directoriesDone} of ${directories} directories`,
      )
    },
    clear() {
      clearTimeout(silence)
      clear()
    },
  }
}
