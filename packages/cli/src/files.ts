import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { codeOf, wrongUsage } from './failures.ts'

/** Reads a file, or standard input for `-`. @throws Failure */
export async function readInput(path: string): Promise<string> {
  try {
    // Both `text` and `TextDecoder` remove a byte order mark.
    return path === '-' ? await text(process.stdin) : new TextDecoder().decode(await readFile(path))
  } catch (error) {
    const code = codeOf(error)
    const hint = code.includes('TOO_L')
      ? 'The file is larger than 500 MB: split the file.'
      : 'Give a file, or - for standard input.'
    throw wrongUsage(`${inputName(path)} cannot be read (${code}). ${hint}`)
  }
}

export function inputName(path: string): string {
  if (path === '-') return 'Standard input'
  return path === '' ? 'The file ""' : path
}

/** Returns the parsed JSON. If the text is not JSON, returns `undefined`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @throws Failure if the value is nested too deeply. The parser accepts such JSON, but the serializer does not. */
export function jsonText(value: unknown, what: string): string {
  try {
    return JSON.stringify(value)
  } catch {
    throw wrongUsage(`${what} is nested too deeply to be sent.`)
  }
}

export type JsonObject = Record<string, unknown>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
