import { type Clock, delay, inBackground } from '../base/clock.ts'

const fromMs = 250
const toMs = 4000

/**
 * After a begin that failed: it may have been carried out all the same, as where the connection broke before the answer
 * came. Nobody will ask with its token again, so the claim is given back as soon as the store answers, or lapses.
 */
export async function giveBack(
  clock: Clock,
  leaseSeconds: number,
  closing: AbortSignal,
  release: () => Promise<void>,
): Promise<void> {
  const lapsesAtMs = clock.monotonic() + leaseSeconds * 1000
  for (let pauseMs = fromMs; clock.monotonic() < lapsesAtMs; pauseMs = Math.min(pauseMs * 2, toMs)) {
    await delay(clock, pauseMs, closing, inBackground)
    if (closing.aborted) return
    try {
      return await release()
    } catch {
      // Still away.
    }
  }
}
