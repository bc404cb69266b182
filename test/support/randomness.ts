import type { Clock } from '@scalekit-scim/core'
import { replaceRandomness } from '@scalekit-scim/core/internal'

/** Replaces the random choices of everything that uses the clock. Returns the clock. */
export function withChance<Own extends Clock>(clock: Own, fraction: () => number): Own {
  replaceRandomness(clock, { fraction, uuid: () => crypto.randomUUID() })
  return clock
}
