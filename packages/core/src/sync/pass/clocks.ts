import type { Clock } from '@scalekit-scim/core'
import { type Instant, plusSeconds, syncMarginSeconds } from '@scalekit-scim/core/internal'
import type { ComparedRecord } from '../reading/records.ts'
import type { ClocksApart } from '../reporting/report.ts'

/**
 * The largest accepted difference between two clocks. Two differences can add up, so each difference can be at most
 * half of the margin.
 */
const maxSeconds = syncMarginSeconds / 2

/**
 * Checks whether the clocks of a pass are close enough to each other. The most harmful case is that Scalekit's clock is
 * behind the store's clock. The times of records do not show this case. But in this case, the store's clock is usually
 * also ahead of this process's clock.
 */
export class Clocks {
  readonly #storeTime: () => Promise<Instant>
  readonly #apart: ClocksApart = {}
  #newest: Instant = ''

  constructor(storeTime: () => Promise<Instant>) {
    this.#storeTime = storeTime
  }

  /** The differences between clocks that are too far apart. `undefined` if no clocks are too far apart. */
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
   * Compares the times of a page's records with the store's time. Reads the store's time at most once. There are two
   * possible reasons why a record is newer than `observedAt`. Either the record changed during the request, or the
   * clocks differ. The store's time after the page shows the reason.
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
