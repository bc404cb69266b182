import type { Clock } from '@scalekit-scim/core'
import { type Instant, plusSeconds, syncMarginSeconds } from '@scalekit-scim/core/internal'
import type { ComparedRecord } from '../reading/records.ts'
import type { ClocksApart } from '../reporting/report.ts'

/** Each side of a comparison gets half of the margin. */
const maxSeconds = syncMarginSeconds / 2

/**
 * Checks whether the clocks of a pass are near enough to each other. If Scalekit's clock is behind the store's, which does
 * the most harm, no record shows it. But then the store's clock is usually ahead of this process's clock, too.
 */
export class Clocks {
  readonly #storeTime: () => Promise<Instant>
  readonly #apart: ClocksApart = {}
  #newest: Instant = ''

  constructor(storeTime: () => Promise<Instant>) {
    this.#storeTime = storeTime
  }

  /** The clocks that are too far apart, if any were found. */
  get apart(): ClocksApart | undefined {
    return Object.keys(this.#apart).length > 0 ? this.#apart : undefined
  }

  /** Reads the store's time between two readings of this process's clock. */
  async readStore(clock: Clock): Promise<Instant> {
    const beforeMs = clock.now()
    const storeTime = await this.#storeTime()
    const storeMs = millisecondsOf(storeTime)
    const aheadSeconds = (storeMs - Math.min(Math.max(storeMs, beforeMs), clock.now())) / 1000
    if (Math.abs(aheadSeconds) > maxSeconds) this.#apart.storeAheadSeconds = Math.round(aheadSeconds)
    return storeTime
  }

  /**
   * Compares the records of a page with the store's time, which it reads at most once. A record newer than `observedAt`
   * was changed while the page was requested, or the clocks are apart. The store's time after the page shows which.
   */
  async check(records: readonly Pick<ComparedRecord, 'updatedAt'>[], observedAt: Instant): Promise<void> {
    let newest = this.#newest
    for (const { updatedAt = '' } of records) if (updatedAt > newest) newest = updatedAt
    if (newest === this.#newest || newest <= plusSeconds(observedAt, maxSeconds)) return
    this.#newest = newest
    const aheadSeconds = (millisecondsOf(newest) - millisecondsOf(await this.#storeTime())) / 1000
    if (aheadSeconds > maxSeconds) this.#apart.recordsAheadSeconds = Math.round(aheadSeconds)
  }
}

function millisecondsOf(instant: Instant): number {
  return Number(instant.slice(0, -6))
}
