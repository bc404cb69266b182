/** A record that is listed: the order of its creation is the listing's own. */
interface Listed {
  readonly updatedAtMicros: number
}

type Cached = Map<string, readonly Listed[]>

const cached = new WeakMap<readonly Listed[], Cached>()

/**
 * Part of a listing, or the whole in another order, made once. It lives as long as the array that it is of, which a
 * roster replaces at its next change: so a walk over 100 000 people scans them once, not once a page.
 */
export function derived<Item extends Listed>(
  all: readonly Item[],
  key: string,
  derive: (all: readonly Item[]) => readonly Item[],
): readonly Item[] {
  const views = cached.get(all) ?? new Map<string, readonly Item[]>()
  cached.set(all, views)
  const known = views.get(key)
  // Nothing but what `derive` made of items of this array is ever in its map.
  if (known) return known as readonly Item[]
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

/** The time of the newest change; none of an empty listing. */
export function newestMicros(all: readonly Listed[]): number | undefined {
  const [newest] = derived(all, 'newest', (items) => {
    const first = items[0]
    if (!first) return []
    return [items.reduce((best, item) => (item.updatedAtMicros > best.updatedAtMicros ? item : best), first)]
  })
  return newest?.updatedAtMicros
}
