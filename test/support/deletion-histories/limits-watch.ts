const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Deletions come a while after they were judged, and the time of their pass is what counts here. */
const slackMs = 20 * 60_000

export interface Limits {
  maxCount: number
  maxShare: number
}

interface Counted {
  atMs: number
  count: number
}

/** The deletions of one directory and kind, and how large it was. */
export class LimitsWatch {
  readonly #limits: Limits
  /** By id, when a deletion was tried first, and failed. */
  readonly #triedMs = new Map<string, number>()
  #deletions: { atMs: number; isApproved: boolean }[] = []
  #most: Counted[] = []
  #least: Counted[] = []
  #now: Counted = { atMs: 0, count: 0 }
  /** Whether more deletions may be counted in the store than were made: after a crash, or if a store or a handler failed. */
  mayOvercount = false

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /**
   * How many records `known` yielded: of this directory for sure, and at most. `atMs` is when the pass began; it may read
   * more than once.
   */
  known(atMs: number, least: number, most: number): void {
    this.#most.push({ atMs, count: most })
    const isAgain = this.#now.atMs === atMs
    this.#now = { atMs, count: isAgain ? Math.min(least, this.#now.count) : least }
  }

  /** The pass that read `known` last has written down what it found, and holds so many of the records. */
  confirm(held: number): void {
    this.#least.push({ ...this.#now, count: this.#now.count - held })
  }

  /** A deletion has failed. It may have had its effect, so it counts from here on, and once. */
  tried(id: string, atMs: number): void {
    this.mayOvercount = true
    if (!this.#triedMs.has(id)) this.#triedMs.set(id, atMs)
  }

  /** Those that a walk lists are not to be deleted any more. */
  listed(ids: readonly string[]): void {
    for (const id of ids) this.#triedMs.delete(id)
  }

  /** @returns what the deletion exceeds, if anything. `passMs` is when its pass began. */
  deleted(id: string, passMs: number, isApproved: boolean): string | undefined {
    const atMs = this.#triedMs.get(id) ?? passMs
    this.#triedMs.delete(id)
    this.#deletions.push({ atMs, isApproved })
    if (isApproved) return undefined
    const { maxCount, maxShare } = this.#limits
    const largest = largestSince(this.#most, atMs - 31 * dayMs)
    const inDay = this.#mostWithin(dayMs - slackMs, atMs)
    const inPeriod = this.#mostWithin(30 * dayMs - slackMs, atMs)
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

  /** Whether so many more deletions are within the limits beyond doubt, so that nobody needs to be asked. */
  allows(atMs: number, count: number): boolean {
    if (this.mayOvercount) return false
    const { maxCount, maxShare } = this.#limits
    const largest = largestSince([...this.#least, this.#now], atMs - 29 * dayMs)
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

  /** The most unapproved deletions in any such span of time that includes this moment. */
  #mostWithin(spanMs: number, includedMs: number): number {
    const times = this.#deletions.filter(({ isApproved }) => !isApproved).map(({ atMs }) => atMs)
    const ends = times.filter((endMs) => endMs >= includedMs && endMs < includedMs + spanMs)
    const countTo = (endMs: number) => times.filter((ms) => ms > endMs - spanMs && ms <= endMs).length
    return Math.max(0, ...ends.map(countTo))
  }
}

function largestSince(counts: readonly Counted[], fromMs: number): number {
  return Math.max(0, ...counts.filter(({ atMs }) => atMs >= fromMs).map(({ count }) => count))
}
