import { styleText } from 'node:util'
import { exitCodes } from './failures.ts'

type Style = 'green' | 'red' | 'yellow' | 'bold' | 'dim'

/** Node decides about colours from NO_COLOR, FORCE_COLOR, and whether the stream is a terminal. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Prints the one document of `--json`. */
export function sayJson(value: object): void {
  say(JSON.stringify(value, null, 2))
}

/**
 * Prints one line on standard error. Removes secrets, because commander repeats a misspelt option with its value:
 * `--secert=whsec_…`.
 */
export function complain(message: string): void {
  const line = message.trim().replaceAll(/\s*\n\s*/g, ' ')
  process.stderr.write(`scalekit-scim: ${withoutSecrets(line)}\n`)
}

export function withoutSecrets(text: string): string {
  return text.replaceAll(/whsec_[\w+/=-]+/g, 'whsec_…').replaceAll(/'(--[\w-]+)=[^']*'/g, "'$1'")
}

/** Replaces control characters, so that a server cannot move the cursor or rename the window. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The terminal sends a Ctrl-C to this process. npm and npx forward the signal as well, so it arrives twice within this
 * time.
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
