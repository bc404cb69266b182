import type { Randomness } from '../randomness.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * `msg_` and 27 digits. The id contains the time: a restarted simulator with the same seed must not use ids that an
 * application has seen, because they would be duplicates. It also contains the number in the run, so ids are unique.
 */
export function messageId(createdAtMs: number, ordinal: number, randomness: Randomness): string {
  const drawn = Array.from({ length: 14 }, () => digits[randomness.below(digits.length)])
  return `msg_${toDigits(createdAtMs, 8)}${toDigits(ordinal, 5)}${drawn.join('')}`
}

function toDigits(number: number, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest = Math.floor(rest / digits.length)) {
    text = digits[rest % digits.length] + text
  }
  return text
}
