import type { Randomness } from '../randomness.ts'

/** The wait before each attempt, counted from the end of the one before: the schedule of Scalekit's SCIM quickstart. */
export const waitsBeforeAttemptsSeconds = [0, 5, 300, 1800, 7200, 18_000, 36_000, 36_000] as const

/** What asks for patience: the wait after it is no shorter than this, though the schedule's is. */
const patientWaitSeconds = 60

export interface Failure {
  /** How many scheduled attempts have failed, with this one. */
  failures: number
  timedOut: boolean
  status?: number | undefined
}

/** How long the next attempt waits after a failure; undefined after the last. */
export function waitAfterMs(
  { failures, timedOut, status }: Failure,
  jitterShare: number,
  randomness: Randomness,
): number | undefined {
  const waitSeconds = waitsBeforeAttemptsSeconds[failures]
  if (waitSeconds === undefined) return undefined
  const jitter = 1 + jitterShare * (2 * randomness.next() - 1)
  const leastSeconds = timedOut || status === 429 ? patientWaitSeconds : 0
  return Math.round(Math.max(waitSeconds * jitter, leastSeconds) * 1000)
}
