import { openSync, readSync, writeSync } from 'node:fs'
import type { Clock } from '@scalekit-scim/core'
import { systemClock } from '@scalekit-scim/core/internal'

/** A file with the simulator's time for other processes. It has eight bytes, and is written before each request. */
export class TimeFile {
  readonly path: string
  readonly #file: number
  readonly #bytes = new Float64Array(1)

  constructor(path: string) {
    this.path = path
    this.#file = openSync(path, 'w')
  }

  set(nowMs: number): void {
    this.#bytes[0] = nowMs
    writeSync(this.#file, this.#bytes, 0, 8, 0)
  }
}

/** A clock with the file's time and an offset. Leases and deadlines use real time, because the work takes real time. */
export function clockByFile(path: string, skewMs: number): Clock {
  const file = openSync(path, 'r')
  const bytes = new Float64Array(1)
  return {
    ...systemClock,
    now() {
      readSync(file, bytes, 0, 8, 0)
      return Math.floor((bytes[0] ?? 0) + skewMs)
    },
  }
}
