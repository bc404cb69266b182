import { styleText } from 'node:util'

type Style = 'green' | 'red' | 'yellow' | 'bold' | 'dim'

/** Colours where they are wanted: Node goes by NO_COLOR, FORCE_COLOR, and whether this is a terminal. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** The one document that `--json` promises. */
export function sayJson(value: object): void {
  say(JSON.stringify(value, null, 2))
}

/** One line on standard error, and never a secret: a misspelt `--secert=whsec_…` would be repeated otherwise. */
export function complain(message: string): void {
  const line = message.trim().replaceAll(/\s*\n\s*/g, ' ')
  process.stderr.write(`scalekit-scim: ${withoutSecrets(line)}\n`)
}

export function withoutSecrets(text: string): string {
  return text.replaceAll(/whsec_[\w+/=-]+/g, 'whsec_…').replaceAll(/'(--[\w-]+)=[^']*'/g, "'$1'")
}

/** What somebody else's server says, without what would move the cursor or change the title of the window. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}
