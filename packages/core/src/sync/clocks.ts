import type { Clock } from '@scalekit-scim/core'
import { type Instant, plusSeconds, syncMarginSeconds } from '@scalekit-scim/core/internal'
import type { ComparedRecord } from './records.ts'
import type { ClocksApart } from './report.ts'

/** Both sides of a comparison share the margin. */
const atMostSeconds = syncMarginSeconds / 2

/**
 * Watches whether the clocks that a pass goes by are near enough to each other. That Scalekit's is behind the store's,
 * which does the most harm, no record can show; but then the store's is mostly ahead of this process's too.
 */
export class Clocks {
  readonly #storeTime: () => Promise<Instant>
  readonly #apart: ClocksApart = {}
  #newest: Instant = ''

  constructor(storeTime: () => Promise<Instant>) {
    this.#storeTime = storeTime
  }

  /** Those that are too far apart, once something was. */
  get apart(): ClocksApart | undefined {
    return Object.keys(this.#apart).length > 0 ? this.#apart : undefined
  }

  /** The store's time, which was told between two looks at this process's clock. */
  async readStore(clock: Clock): Promise<Instant> {
    const askedAtMs = clock.now()
    const told = await this.#storeTime()
    const toldMs = millisecondsOf(told)
    const aheadSeconds = (toldMs - Math.min(Math.max(toldMs, askedAtMs), clock.now())) / 1000
    if (Math.abs(aheadSeconds) > atMostSeconds) this.#apart.storeAheadSeconds = Math.round(aheadSeconds)
    return told
  }

  /**
   * Looks at what a page brought, and asks the store at most once. What is newer than its time before the page was not
   * there then, or clocks are apart: the page may have been long on its way, so what counts is the time when it is there.
   */
  async heed(records: readonly Pick<ComparedRecord, 'updatedAt'>[], observedAt: Instant): Promise<void> {
    let newest = this.#newest
    for (const { updatedAt = '' } of records) if (updatedAt > newest) newest = updatedAt
    if (newest === this.#newest || newest <= plusSeconds(observedAt, atMostSeconds)) return
    this.#newest = newest
    const aheadSeconds = (millisecondsOf(newest) - millisecondsOf(await this.#storeTime())) / 1000
    if (aheadSeconds > atMostSeconds) this.#apart.recordsAheadSeconds = Math.round(aheadSeconds)
  }
}

function millisecondsOf(instant: Instant): number {
  return Number(instant.slice(0, -6))
}
