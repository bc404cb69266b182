/**
 * A moment with nanoseconds, as the nanoseconds since 1970 in exactly 19 digits, so that two of them compare
 * as text in JavaScript, Lua and SQL alike. Scalekit sends 0 to 9 decimals, and a `Date` would keep only three.
 */
export type Instant = string

const digits = 19
const earliest: Instant = '0'.repeat(digits)
const latest: Instant = '9'.repeat(digits)
const nanosPerMs = 1_000_000n

/** RFC 3339, 5.6, with any number of decimals. */
const rfc3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/

/**
 * Reads an RFC 3339 time; decimals beyond the ninth are cut. A time before 1970 (Go's zero time, say) counts
 * as 1970. Gives `undefined` for anything that is no such time.
 */
export function parseInstant(text: unknown): Instant | undefined {
  if (typeof text !== 'string' || text.length > 64) return undefined
  const match = rfc3339.exec(text)
  if (!match) return undefined
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second,
    decimals = '',
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined

  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() + 1 !== Number(month) || date.getUTCDate() !== Number(day)) return undefined
  date.setUTCHours(Number(hour), Number(minute), Number(second))

  const offsetMinutes = Number(offsetHour) * 60 + Number(offsetMinute)
  const seconds = date.getTime() / 1000 - (sign === '-' ? -offsetMinutes : offsetMinutes) * 60
  return fromNanos(BigInt(seconds) * 1_000_000_000n + BigInt(decimals.slice(0, 9).padEnd(9, '0')))
}

/** UTC with exactly nine decimals: `2026-11-23T09:00:00.000000000Z`. Comparable as text. */
export function formatInstant(instant: Instant): string {
  const seconds = Number(instant.slice(0, -9))
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${instant.slice(-9)}Z`
}

export function instantFromMs(ms: number): Instant {
  return fromNanos(BigInt(Math.floor(ms * 1000)) * 1000n)
}

export function plusSeconds(instant: Instant, seconds: number): Instant {
  return fromNanos(BigInt(instant) + BigInt(Math.round(seconds * 1000)) * nanosPerMs)
}

export function newest(...instants: Instant[]): Instant {
  return instants.reduce((a, b) => (a > b ? a : b))
}

function fromNanos(nanos: bigint): Instant {
  if (nanos < 0n) return earliest
  const text = nanos.toString().padStart(digits, '0')
  return text.length > digits ? latest : text
}
