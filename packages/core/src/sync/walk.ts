import type { Sightings } from './known.ts'
import type { Page } from './pages.ts'

/** What one complete walk saw. */
export interface WalkTally {
  /** Different ids. */
  unique: number
  /** What the pages said that there are; `undefined` if they did not agree with each other. */
  totalSize: number | undefined
  /** Whether it brought fewer records than its last page said that there are. */
  short: boolean
}

/**
 * One walk from the first page to the last; each is looked at while the next is fetched. `sightings` notes the ids, and
 * without it nothing is kept that grows with the directory, and nothing can be said of what is missing.
 * @throws what the pages, or the visit, throw
 */
export async function walk<Item extends { id: string }, Observed>(
  pages: AsyncIterable<Page<Item, Observed>>,
  sightings: Sightings | undefined,
  visit: (page: Page<Item, Observed>) => Promise<void> | void,
): Promise<WalkTally> {
  const totals = new Set<number>()
  let met = 0
  let announced = 0
  for await (const page of pages) {
    // Two are as good as many: they do not agree.
    if (totals.size < 2) totals.add(page.totalSize)
    met += page.items.length
    announced = page.totalSize
    for (const { id } of page.items) sightings?.add(id)
    await visit(page)
  }
  const [totalSize] = totals
  return {
    unique: sightings?.unique ?? 0,
    totalSize: totals.size === 1 ? totalSize : undefined,
    short: met < announced,
  }
}
