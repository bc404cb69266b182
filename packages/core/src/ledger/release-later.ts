import { delay, inBackground } from '../base/clock.ts'
import type { DriverOptions } from './driver.ts'
import type { BeginRequest, Claim } from './ledger.ts'

const fromMs = 250
const toMs = 4000

/**
 * Releases the claim of a `begin` that failed. The store may still have written the claim, for example if the
 * connection broke before the answer arrived. No later call uses the claim's token, so the claim is released as soon as
 * the store answers. Stops after `leaseSeconds`, because the claim has lapsed by then.
 */
export async function releaseLater(
  { token, messageId, resource, leaseSeconds }: BeginRequest,
  release: (claim: Claim) => Promise<void>,
  { clock }: Pick<DriverOptions, 'clock'>,
  closing: AbortSignal,
): Promise<void> {
  const claim: Claim = { token, messageId, fence: 0, occurredAt: '', deletion: false }
  if (resource !== undefined) claim.resource = resource
  const lapsesAtMs = clock.monotonic() + leaseSeconds * 1000
  for (let pauseMs = fromMs; clock.monotonic() < lapsesAtMs; pauseMs = Math.min(pauseMs * 2, toMs)) {
    await delay(clock, pauseMs, closing, inBackground)
    if (closing.aborted) return
    try {
      return await release(claim)
    } catch {
      // The store is still unavailable.
    }
  }
}
