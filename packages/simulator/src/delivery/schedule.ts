import type { Randomness } from '../randomness.ts'

/** The wait before each attempt, from the end of the previous one: the schedule of Scalekit's SCIM quickstart. */
export const waitsBeforeAttemptsSeconds = [0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const

/** The shortest wait after a timeout or a 429, even if the wait in the schedule is shorter. */
const minBackoffSeconds = 60

/** Returns the wait before the next attempt after a failure, or `undefined` after the last attempt. */
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
