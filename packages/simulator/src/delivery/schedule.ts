import type { Randomness } from '../randomness.ts'

/** The wait before each attempt, as in Scalekit's SCIM quickstart. A wait starts at the end of the previous attempt. */
export const waitsBeforeAttemptsSeconds = [0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const

/** The shortest wait after a timeout or a 429. This value replaces a shorter wait of the schedule. */
const minBackoffSeconds = 60

/** Returns the wait before the next attempt. After the last attempt, returns `undefined`. */
export function waitAfterMs(
  failures: number,
  isOverloaded: boolean,
  jitterShare: number,
  randomness: Randomness,
): number | undefined {
  const waitSeconds = waitsBeforeAttemptsSeconds[failures]
  if (waitSeconds === undefined) return undefined
  const jitter = 1 + jitterShare * (2 * randomness.next() - 1)
  return Math.round(Math.max(waitSeconds * jitter, isOverloaded ? minBackoffSeconds : 0) * 1000)
}
