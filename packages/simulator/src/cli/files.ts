import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { wrongUsage } from './failures.ts'

/** A file, or standard input for `-`. @throws Failure */
export async function readInput(path: string): Promise<string> {
  if (path === '-') return text(process.stdin)
  try {
    // A byte order mark, as some editors write it, is no part of the text; `text` leaves it out by itself.
    return new TextDecoder().decode(await readFile(path))
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error
    throw wrongUsage(`${path} cannot be read (${reason}). Give a file, or - for standard input.`)
  }
}

export type JsonObject = Record<string, unknown>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
