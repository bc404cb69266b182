/** A record in a listing. Listings are in the order of creation. */
interface Listed {
  readonly updatedAtMicros: number
}

type Cached = Map<string, readonly Listed[]>

const cached = new WeakMap<readonly Listed[], Cached>()

/**
 * Returns a part of a listing, or the listing in another order. Computes each result once for each array, because a
 * directory replaces its array at each change. So a walk over 100,000 users scans the users once, not once for each
 * page.
 */
export function derived<Item extends Listed>(
  all: readonly Item[],
  key: string,
  derive: (all: readonly Item[]) => readonly Item[],
): readonly Item[] {
  const views = cached.get(all) ?? new Map<string, readonly Item[]>()
  cached.set(all, views)
  const existing = views.get(key)
  // The cache of this array holds only results of `derive` on the same array.
  if (existing) return existing as readonly Item[]
  const made = derive(all)
  views.set(key, made)
  return made
}

export function updatedAfter<Item extends Listed>(all: readonly Item[], micros: number): readonly Item[] {
  return derived(all, `updated after ${micros}`, (items) =>
    items.filter((item) => item.updatedAtMicros > micros),
  )
}

export function byUpdate<Item extends Listed>(all: readonly Item[]): readonly Item[] {
  return derived(all, 'by update', (items) => items.toSorted((a, b) => a.updatedAtMicros - b.updatedAtMicros))
}

/** The time of the newest change, or `undefined` for an empty listing. */
export function newestMicros(all: readonly Listed[]): number | undefined {
  const [newest] = derived(all, 'newest', (items) => {
    const first = items[0]
    if (!first) return []
    return [items.reduce((best, item) => (item.updatedAtMicros > best.updatedAtMicros ? item : best), first)]
  })
  return newest?.updatedAtMicros
}
