import { styleText } from 'node:util'
import { exitCodes } from './failures.ts'

type Style = 'green' | 'red' | 'yellow' | 'bold' | 'dim'

/** Adds a style. If NO_COLOR is set or the output is not a terminal, Node does not add colour. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Prints the JSON document of `--json`. */
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

/**
 * The terminal sends a Ctrl-C to this process. npm and npx also forward the signal. So the signal arrives twice within
 * this time.
 */
const echoMs = 500

/** Returns a signal that the first interruption aborts. A second interruption ends the process. */
export function interruption(): AbortSignal {
  const controller = new AbortController()
  let firstAtMs: number | undefined
  const onSignal = () => {
    firstAtMs ??= performance.now()
    controller.abort()
    if (performance.now() - firstAtMs > echoMs) process.exit(exitCodes.interrupted)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal)
  return controller.signal
}
