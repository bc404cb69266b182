import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { wrongUsage } from './failures.ts'

/** A file, or standard input for `-`. @throws Failure */
export async function readInput(path: string): Promise<string> {
  try {
    // A byte order mark, as some editors write it, is no part of the text; `text` leaves it out by itself.
    return path === '-' ? await text(process.stdin) : new TextDecoder().decode(await readFile(path))
  } catch (error) {
    const reason = String(error instanceof Error && 'code' in error ? error.code : error)
    const hint = reason.includes('TOO_L')
      ? 'It is over 500 MB: give it in parts.'
      : 'Give a file, or - for standard input.'
    throw wrongUsage(`${inputName(path)} cannot be read (${reason}). ${hint}`)
  }
}

/** As it is called in what is said of it. */
export function inputName(path: string): string {
  if (path === '-') return 'Standard input'
  return path === '' ? 'The file ""' : path
}

/** @throws Failure where it is nested so deep that it can be read and not be written */
export function jsonText(value: unknown, what: string): string {
  try {
    return JSON.stringify(value)
  } catch {
    throw wrongUsage(`${what} is nested too deep to be sent.`)
  }
}

export type JsonObject = Record<string, unknown>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
