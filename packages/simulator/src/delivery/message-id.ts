import type { Randomness } from '../randomness.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * Returns `msg_` and 27 digits. The id contains the time. Without the time, a restarted simulator with the same seed
 * would repeat ids, and an application would treat new messages as duplicates. The id also contains the sequence number
 * of the message, so ids are unique.
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
