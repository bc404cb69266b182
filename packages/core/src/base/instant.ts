/**
 * A time in nanoseconds since 1970, written with exactly 19 digits. To compare two instants, compare their texts. Text
 * comparison works in JavaScript, Lua and SQL. A `Date` is not precise enough: Scalekit sends up to nine decimals, not
 * three.
 */
export type Instant = string

const digits = 19
const earliest: Instant = '0'.repeat(digits)
const latest: Instant = '9'.repeat(digits)
const latestMicros = 1e16
const nanosPerMs = 1_000_000n

/** RFC 3339, 5.6, with any number of decimals. The fields before the decimals have fixed positions. */
const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/**
 * Reads an RFC 3339 time. For any other value, returns `undefined`. Ignores decimals after the ninth. A time before
 * 1970, such as Go's zero time, counts as 1970.
 */
export function parseInstant(text: unknown): Instant | undefined {
  if (typeof text !== 'string' || text.length > 64 || !rfc3339.test(text)) return undefined
  // The sync parses a time for each row. Code with capture groups and a bigint would take three times as long.
  const [year, month, day] = [numberAt(text, 0, 4), numberAt(text, 5, 2), numberAt(text, 8, 2)]
  const [hour, minute, second] = [numberAt(text, 11, 2), numberAt(text, 14, 2), numberAt(text, 17, 2)]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() + 1 !== month || date.getUTCDate() !== day) return undefined

  const zoneAt = text.length - (text.at(-3) === ':' ? '+00:00' : 'Z').length
  const offset = offsetMinutes(text, zoneAt)
  if (offset === undefined) return undefined
  const seconds = date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second
  return fromSeconds(seconds, text.slice(20, zoneAt))
}

/**
 * Formats an instant as UTC with exactly nine decimals, such as `2026-11-23T09:00:00.000000000Z`. To compare two times,
 * compare the texts.
 */
export function formatInstant(instant: Instant): string {
  const seconds = instant.slice(0, -9)
  if (seconds !== formatted.seconds) {
    formatted = { seconds, text: new Date(Number(seconds) * 1000).toISOString().slice(0, 19) }
  }
  return `${formatted.text}.${instant.slice(-9)}Z`
}

/** The last formatted second. Most events of a burst are from one second, and a `Date` is slow to format. */
let formatted = { seconds: '', text: '' }

export function instantFromMs(ms: number): Instant {
  const micros = Math.floor(ms * 1000)
  if (micros < 0) return earliest
  return micros < latestMicros ? `${micros}000`.padStart(digits, '0') : latest
}

export function plusSeconds(instant: Instant, seconds: number): Instant {
  const nanos = BigInt(instant) + BigInt(Math.round(seconds * 1000)) * nanosPerMs
  return nanos < 0n ? earliest : inRange(nanos.toString().padStart(digits, '0'))
}

export function newest(...instants: Instant[]): Instant {
  return instants.reduce((a, b) => (a > b ? a : b))
}

function numberAt(text: string, start: number, digits: number): number {
  let number = 0
  for (let at = start; at < start + digits; at++) number = number * 10 + text.charCodeAt(at) - 48
  return number
}

function offsetMinutes(text: string, zoneAt: number): number | undefined {
  if (zoneAt === text.length - 1) return 0
  const [hours, minutes] = [numberAt(text, zoneAt + 1, 2), numberAt(text, zoneAt + 4, 2)]
  if (hours > 23 || minutes > 59) return undefined
  return (hours * 60 + minutes) * (text[zoneAt] === '-' ? -1 : 1)
}

function fromSeconds(seconds: number, decimals: string): Instant {
  if (seconds < 0) return earliest
  return inRange(`${seconds}`.padStart(digits - 9, '0') + decimals.slice(0, 9).padEnd(9, '0'))
}

function inRange(text: string): Instant {
  return text.length > digits ? latest : text
}
