import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

/**
 * The sync gives other tasks a turn of the real event loop while it reads many records. In virtual time, no turn comes.
 * So here, these turns end at once.
 */
export async function withoutTurns<Result>(run: () => Promise<Result>): Promise<Result> {
  const { setImmediate } = timers
  replaceTurns(() => Promise.resolve())
  try {
    return await run()
  } finally {
    replaceTurns(setImmediate)
  }
}

function replaceTurns(setImmediate: unknown): void {
  Object.assign(timers, { setImmediate })
  syncBuiltinESMExports()
}
