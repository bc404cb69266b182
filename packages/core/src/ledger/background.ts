import { type Clock, delay, inBackground } from '../base/clock.ts'
import { randomnessOf } from '../base/randomness.ts'
import type { BeginRequest, Claim } from './ledger.ts'

// The background work of a driver: no caller waits for it. When `closing` aborts, the work ends.

const firstPauseMs = 250
const longestPauseMs = 4000

/**
 * Releases the claim of a `begin` that failed. If, for example, the connection broke before the answer arrived, the
 * store may have written the claim. No later call uses the claim's token, so this function releases the claim as soon
 * as the store answers. Stops after `leaseSeconds`, because the claim has lapsed by that time.
 */
export async function releaseLater(
  { token, messageId, resource, leaseSeconds }: BeginRequest,
  release: (claim: Claim) => Promise<void>,
  { clock }: { clock: Clock },
  closing: AbortSignal,
): Promise<void> {
  const claim: Claim = { token, messageId, fence: 0, occurredAt: '', deletion: false }
  if (resource !== undefined) claim.resource = resource
  const lapsesAtMs = clock.monotonic() + leaseSeconds * 1000
  let pauseMs = firstPauseMs
  while (clock.monotonic() < lapsesAtMs) {
    await delay(clock, pauseMs, closing, inBackground)
    if (closing.aborted) return
    try {
      return await release(claim)
    } catch {
      // The store is still unavailable.
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }
}

/** The maximum number of rows that one step deletes from a table. The limit keeps each step short. */
const stepRows = 500
const sweepPauseMs = 60_000
/** The pause between two steps while there are more rows to delete. */
const stepPauseMs = 250

/**
 * Deletes expired rows in small steps, outside of any request. A step runs once a minute. If there are more rows to
 * delete, a step runs four times a second. If a step fails, the next step deletes the rows. Failed steps do not affect
 * events.
 */
export async function sweep(
  step: (limit: number) => Promise<number>,
  { clock }: { clock: Clock },
  closing: AbortSignal,
): Promise<void> {
  // The delay is random, so that instances that start together do not sweep at the same time.
  let pauseMs = sweepPauseMs * randomnessOf(clock).fraction()
  for (;;) {
    await delay(clock, pauseMs, closing, inBackground)
    if (closing.aborted) return
    const swept = await step(stepRows).catch(() => 0)
    pauseMs = swept < stepRows ? sweepPauseMs : stepPauseMs
  }
}
