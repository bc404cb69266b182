import { exitCodes } from './failures.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** npm and npx pass a Ctrl-C on that the terminal has sent already: the same one, heard twice. */
const echoMs = 500

/** The first signal is for `end`, which does it well; whoever asks twice does not want to wait. Gives what stops listening. */
export function onInterruption(end: () => void): () => void {
  let firstAtMs: number | undefined
  const hear = () => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now()
      return end()
    }
    if (performance.now() - firstAtMs > echoMs) process.exit(exitCodes.interrupted)
  }
  for (const signal of signals) process.on(signal, hear)
  return () => {
    for (const signal of signals) process.off(signal, hear)
  }
}
