import type { Randomness } from '../randomness.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * `msg_` and 27 digits. The time is in it, so that a simulator that starts again with its seed does not use ids that
 * an application has seen and would take for duplicates; so is the place in the run, so that no two are alike.
 */
export function messageId(createdAtMs: number, ordinal: number, randomness: Randomness): string {
  const drawn = Array.from({ length: 14 }, () => digits[randomness.below(digits.length)])
  return `msg_${inDigits(createdAtMs, 8)}${inDigits(ordinal, 5)}${drawn.join('')}`
}

function inDigits(number: number, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest = Math.floor(rest / digits.length)) {
    text = digits[rest % digits.length] + text
  }
  return text
}
