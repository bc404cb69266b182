import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatInstant,
  instantFromMs,
  newest,
  parseInstant,
  plusSeconds,
} from '../../packages/core/src/base/instant.ts'

const seed = Number(process.env.FC_SEED ?? 20_261_123)
const earliest = '0'.repeat(19)
const latest = '9'.repeat(19)

/** Returns the time in the form that `formatInstant` writes. */
function rewritten(text: string): string | undefined {
  const instant = parseInstant(text)
  return instant === undefined ? undefined : formatInstant(instant)
}

describe('reading a time', () => {
  test.each([
    ['2025-01-06T18:44:25Z', '2025-01-06T18:44:25.000000000Z'],
    ['2025-01-06T18:44:25.1Z', '2025-01-06T18:44:25.100000000Z'],
    ['2025-01-06T18:44:25.15Z', '2025-01-06T18:44:25.150000000Z'],
    ['2025-01-06T18:44:25.153Z', '2025-01-06T18:44:25.153000000Z'],
    ['2025-01-06T18:44:25.1539Z', '2025-01-06T18:44:25.153900000Z'],
    ['2025-01-06T18:44:25.15395Z', '2025-01-06T18:44:25.153950000Z'],
    ['2025-01-06T18:44:25.153954Z', '2025-01-06T18:44:25.153954000Z'],
    ['2025-01-06T18:44:25.1539541Z', '2025-01-06T18:44:25.153954100Z'],
    ['2025-01-06T18:44:25.15395412Z', '2025-01-06T18:44:25.153954120Z'],
    ['2025-01-15T08:55:22.802860294Z', '2025-01-15T08:55:22.802860294Z'],
  ])('missing decimals count as zeros: %s', (text, expected) => {
    expect(rewritten(text)).toBe(expected)
  })

  test('decimals after the ninth are cut, not rounded', () => {
    expect(rewritten('2025-01-15T08:55:22.9999999999Z')).toBe('2025-01-15T08:55:22.999999999Z')
  })

  test.each([
    ['2025-01-06T18:44:25+00:00', '2025-01-06T18:44:25.000000000Z'],
    ['2025-01-06T18:44:25-00:00', '2025-01-06T18:44:25.000000000Z'],
    ['2025-01-06T18:44:25+05:30', '2025-01-06T13:14:25.000000000Z'],
    ['2025-01-06T18:44:25-08:00', '2025-01-07T02:44:25.000000000Z'],
    ['2025-01-01T00:30:00.5+01:00', '2024-12-31T23:30:00.500000000Z'],
    ['2025-01-06t18:44:25z', '2025-01-06T18:44:25.000000000Z'],
  ])('an offset is subtracted: %s', (text, expected) => {
    expect(rewritten(text)).toBe(expected)
  })

  test.each(['2024-02-29T12:00:00Z', '2000-02-29T12:00:00Z'])('a leap day is a day: %s', (text) => {
    expect(rewritten(text)).toBe(text.replace('Z', '.000000000Z'))
  })

  test.each([
    '2025-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2025-04-31T00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2025-00-01T00:00:00Z',
    '2025-01-00T00:00:00Z',
    '2025-01-32T00:00:00Z',
    '2025-01-01T24:00:00Z',
    '2025-01-01T00:60:00Z',
    '2025-01-01T00:00:00+24:00',
    '2025-01-01T00:00:00+01:60',
  ])('a day, hour or minute that does not exist is rejected: %s', (text) => {
    expect(parseInstant(text)).toBeUndefined()
  })

  test.each([
    '',
    ' ',
    'now',
    '2025-01-06',
    '2025-01-06T18:44Z',
    '2025-01-06T18:44:25',
    '2025-01-06T18:44:25.Z',
    '2025-01-06T18:44:25,5Z',
    '2025-01-06 18:44:25Z',
    ' 2025-01-06T18:44:25Z',
    '2025-01-06T18:44:25Z\n',
    '2025-1-6T18:44:25Z',
    '25-01-06T18:44:25Z',
    '+002025-01-06T18:44:25Z',
    '٢٠٢٥-01-06T18:44:25Z',
    'Mon, 06 Jan 2025 18:44:25 GMT',
    '1736189065',
    `2025-01-06T18:44:25.${'1'.repeat(100)}Z`,
  ])('text of another form is rejected: %j', (text) => {
    expect(parseInstant(text)).toBeUndefined()
  })

  test.each([[undefined], [null], [1_736_189_065_000], [new Date(0)], [{}], [['2025-01-06T18:44:25Z']]])(
    'a value that is not text is rejected: %j',
    (value) => {
      expect(parseInstant(value)).toBeUndefined()
    },
  )

  test.each(['0001-01-01T00:00:00Z', '1969-12-31T23:59:59.999999999Z', '1970-01-01T00:30:00+01:00'])(
    'a time before 1970 counts as 1970: %s',
    (text) => {
      expect(parseInstant(text)).toBe(earliest)
    },
  )

  test.each(['2286-11-20T17:46:40Z', '9999-12-31T23:59:59.999999999Z'])(
    'a time beyond 19 digits counts as the latest: %s',
    (text) => {
      expect(parseInstant(text)).toBe(latest)
    },
  )

  test('the latest time of 19 digits is read unchanged', () => {
    expect(parseInstant('2286-11-20T17:46:39.999999999Z')).toBe(latest)
    expect(parseInstant('2286-11-20T17:46:39.999999998Z')).toBe(`${'9'.repeat(18)}8`)
  })
})

describe('comparing times as text', () => {
  test('the same time in different forms is equal', () => {
    const texts = ['2025-01-06T18:44:25.5Z', '2025-01-06T18:44:25.500000000Z', '2025-01-06T19:44:25.50+01:00']
    expect(new Set(texts.map(parseInstant)).size).toBe(1)
  })

  test('one nanosecond makes a difference', () => {
    const earlier = String(parseInstant('2025-01-15T08:55:22.802860293Z'))
    const later = String(parseInstant('2025-01-15T08:55:22.802860294Z'))
    expect(earlier < later).toBe(true)
    expect(newest(later, earlier)).toBe(later)
  })

  test('early years sort before later years', () => {
    const early = String(parseInstant('1971-01-01T00:00:00Z'))
    const late = String(parseInstant('2026-01-01T00:00:00Z'))
    expect(early < late).toBe(true)
    expect(early).toHaveLength(19)
  })

  const nanos = fc.bigInt({ min: 0n, max: 10n ** 19n - 1n })
  const instantOf = (value: bigint) => value.toString().padStart(19, '0')

  test(`each instant is equal after formatting and parsing (seed ${seed})`, () => {
    fc.assert(
      fc.property(nanos, (value) => {
        const text = formatInstant(instantOf(value))
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
        expect(parseInstant(text)).toBe(instantOf(value))
      }),
      { seed, numRuns: 2000 },
    )
  })

  test(`instants and their texts sort by time (seed ${seed})`, () => {
    fc.assert(
      fc.property(nanos, nanos, (a, b) => {
        expect(instantOf(a) < instantOf(b)).toBe(a < b)
        expect(formatInstant(instantOf(a)) < formatInstant(instantOf(b))).toBe(a < b)
      }),
      { seed, numRuns: 2000 },
    )
  })

  test(`parseInstant agrees with Date (seed ${seed})`, () => {
    const dates = fc.date({ min: new Date(0), max: new Date('2286-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseInstant(date.toISOString())).toBe(instantFromMs(date.getTime()))
      }),
      { seed, numRuns: 2000 },
    )
  })

  test(`random fields, offsets and decimals are parsed as the calendar's time (seed ${seed})`, () => {
    const two = (most: number) => fc.nat(most).map((number) => `${number}`.padStart(2, '0'))
    const day = fc.tuple(
      fc.oneof(fc.nat(9999), fc.integer({ min: 1965, max: 2290 })).map((year) => `${year}`.padStart(4, '0')),
      two(13),
      two(32),
    )
    const time = fc.tuple(two(24), two(60), two(60))
    const decimals = fc.stringMatching(/^\d{0,12}$/)
    const zone = fc.option(fc.tuple(fc.constantFrom('+', '-'), two(24), two(60)), { nil: undefined })
    fc.assert(
      fc.property(day, time, decimals, zone, (day, time, decimals, zone) => {
        const offset = zone ? `${zone[0]}${zone[1]}:${zone[2]}` : 'Z'
        const text = `${day.join('-')}T${time.join(':')}${decimals && '.'}${decimals}${offset}`
        expect(parseInstant(text)).toBe(reckoned(day, time, decimals, zone))
      }),
      { seed, numRuns: 5000 },
    )
  })
})

/** The expected time in whole nanoseconds, computed from the parts of the text. */
function reckoned(
  day: readonly string[],
  time: readonly string[],
  decimals: string,
  zone: readonly [string, string, string] | undefined,
): string | undefined {
  const [year = 0, month = 0, date = 0] = day.map(Number)
  const midnight = new Date(0)
  midnight.setUTCFullYear(year, month - 1, date)
  if (midnight.toISOString().slice(0, 10) !== day.join('-')) return undefined
  const [hour = 0, minute = 0, second = 0] = time.map(Number)
  const [sign, offsetHour, offsetMinute] = zone ?? ['+', '00', '00']
  const minutes = Number(offsetHour) * 60 + Number(offsetMinute)
  if ([hour, Number(offsetHour)].some((hours) => hours > 23)) return undefined
  if ([minute, second, Number(offsetMinute)].some((sixtieth) => sixtieth > 59)) return undefined

  const seconds = hour * 3600 + minute * 60 + second - (sign === '-' ? -minutes : minutes) * 60
  const nanos = BigInt(midnight.getTime() / 1000 + seconds) * 10n ** 9n
  const whole = nanos + BigInt(decimals.slice(0, 9).padEnd(9, '0'))
  if (whole < 0n) return earliest
  return whole >= 10n ** 19n ? latest : `${whole}`.padStart(19, '0')
}

describe('computing with times', () => {
  test('milliseconds keep their microseconds', () => {
    expect(formatInstant(instantFromMs(1_736_189_065_153.954))).toBe('2025-01-06T18:44:25.153954000Z')
  })

  test('seconds can be added and subtracted', () => {
    const instant = String(parseInstant('2025-01-06T18:44:25.000000001Z'))
    expect(formatInstant(plusSeconds(instant, 60))).toBe('2025-01-06T18:45:25.000000001Z')
    expect(formatInstant(plusSeconds(instant, -0.5))).toBe('2025-01-06T18:44:24.500000001Z')
  })

  test('times stay between 1970 and the latest of 19 digits', () => {
    expect(plusSeconds(earliest, -1)).toBe(earliest)
    expect(plusSeconds(latest, 1)).toBe(latest)
  })
})
