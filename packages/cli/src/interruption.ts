import { exitCodes } from './failures.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The terminal sends a Ctrl-C to this process, and npm and npx forward it too. So it arrives twice within this time.
 */
const echoMs = 500

/** The first signal calls `onFirst`, and a second one ends the process. Returns a function that stops listening. */
export function onInterruption(onFirst: () => void): () => void {
  let firstAtMs: number | undefined
  const onSignal = () => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now()
      return onFirst()
    }
    if (performance.now() - firstAtMs > echoMs) process.exit(exitCodes.interrupted)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
