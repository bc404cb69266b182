const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Deletions happen some time after their decision. These checks use the time of the pass. */
const slackMs = 20 * 60_000

export interface Limits {
  maxCount: number
  maxShare: number
}

/** Completes the limits as core does: if one is given, the other has no default. */
export function completeLimits({ maxCount, maxShare }: Partial<Limits>): Limits {
  if (maxCount === undefined && maxShare === undefined) return { maxCount: 20, maxShare: 0.05 }
  return { maxCount: maxCount ?? 0, maxShare: maxShare ?? 0 }
}

interface Counted {
  atMs: number
  count: number
}

/** The deletions of one directory and kind, and its sizes. */
export class LimitsWatch {
  readonly #limits: Limits
  /** The time of the first failed deletion, by id. */
  readonly #triedMs = new Map<string, number>()
  #deletions: { atMs: number; isApproved: boolean }[] = []
  #maxCounts: Counted[] = []
  #certainCounts: Counted[] = []
  #now: Counted = { atMs: 0, count: 0 }
  /**
   * Whether the store may count more deletions than were made, because of a crash, a store failure or a failed handler.
   */
  mayOvercount = false

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /**
   * Stores the number of records from `known` that certainly belong to this directory, and the maximum number. `atMs`
   * is the beginning of the pass, which may read `known` more than once.
   */
  known(atMs: number, certain: number, max: number): void {
    this.#maxCounts.push({ atMs, count: max })
    const isAgain = this.#now.atMs === atMs
    this.#now = { atMs, count: isAgain ? Math.min(certain, this.#now.count) : certain }
  }

  /** Records that the pass that last read `known` has stored its result, and the number of held records. */
  confirm(held: number): void {
    this.#certainCounts.push({ ...this.#now, count: this.#now.count - held })
  }

  /** Records a failed deletion. It may have had its effect, so it counts once from now on. */
  tried(id: string, atMs: number): void {
    this.mayOvercount = true
    if (!this.#triedMs.has(id)) this.#triedMs.set(id, atMs)
  }

  /** Records that a walk has listed these records, so that the sync must not delete them. */
  listed(ids: readonly string[]): void {
    for (const id of ids) this.#triedMs.delete(id)
  }

  /** @returns the limit that the deletion exceeds, or nothing. `passMs` is the beginning of its pass. */
  deleted(id: string, passMs: number, isApproved: boolean): string | undefined {
    const atMs = this.#triedMs.get(id) ?? passMs
    this.#triedMs.delete(id)
    this.#deletions.push({ atMs, isApproved })
    if (isApproved) return undefined
    const { maxCount, maxShare } = this.#limits
    const largest = largestSince(this.#maxCounts, atMs - 31 * dayMs)
    const inDay = this.#maxWithin(dayMs - slackMs, atMs)
    const inPeriod = this.#maxWithin(30 * dayMs - slackMs, atMs)
    const exceeded = (count: number, limit: number, words: string) =>
      count > limit
        ? `${count} unapproved deletions ${words}, and ${limit} are allowed of ${largest}`
        : undefined
    return (
      exceeded(inDay, Math.max(maxCount, maxShare * largest), 'in a day') ??
      exceeded(inPeriod, Math.max(2 * maxCount, 4 * maxShare * largest), 'in 30 days') ??
      exceeded(inPeriod, largest / 2, 'in 30 days, which is over half')
    )
  }

  /** Returns whether this number of further deletions is certainly within the limits, so that they need no approval. */
  allows(atMs: number, count: number): boolean {
    if (this.mayOvercount) return false
    const { maxCount, maxShare } = this.#limits
    const largest = largestSince([...this.#certainCounts, this.#now], atMs - 29 * dayMs)
    const inDay = count + this.#allSince(atMs - 25 * hourMs - slackMs)
    const inPeriod = count + this.#allSince(atMs - 31 * dayMs)
    return (
      inDay <= Math.max(maxCount, maxShare * largest) &&
      inPeriod <= Math.max(2 * maxCount, 4 * maxShare * largest) &&
      inPeriod <= largest / 2
    )
  }

  #allSince(fromMs: number): number {
    return this.#deletions.filter(({ atMs }) => atMs >= fromMs).length
  }

  /** Returns the largest number of unapproved deletions in any period of this length that includes this moment. */
  #maxWithin(spanMs: number, includedMs: number): number {
    const times = this.#deletions.filter(({ isApproved }) => !isApproved).map(({ atMs }) => atMs)
    const ends = times.filter((endMs) => endMs >= includedMs && endMs < includedMs + spanMs)
    const countTo = (endMs: number) => times.filter((ms) => ms > endMs - spanMs && ms <= endMs).length
    return Math.max(0, ...ends.map(countTo))
  }
}

function largestSince(counts: readonly Counted[], fromMs: number): number {
  return Math.max(0, ...counts.filter(({ atMs }) => atMs >= fromMs).map(({ count }) => count))
}
