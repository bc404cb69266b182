import { isFields, isPrimary } from './values.ts'

// Attributes of many values (RFC 7643, 2.4).

export type Item = unknown

/** Those of `given` that are there already are not added again (RFC 7644, 3.5.2.1). */
export function addTo(items: readonly Item[], given: Item): Item[] {
  const wanted = [given].flat()
  const values = new Set(wanted.map(distinctive))
  const known = new Set(items.filter((item) => values.has(distinctive(item))).map(identity))
  const added = wanted.filter((item) => known.size < known.add(identity(item)).size)
  return withOnePrimary([...items, ...added], new Set(added))
}

/** A value is known by its `value`: what else a client says of it may be older than ours. */
export function removeFrom(items: readonly Item[], given: Item): Item[] {
  const gone = new Set([given].flat().map(distinctive))
  return items.filter((item) => !gone.has(distinctive(item)))
}

/** One is primary at most: that which was made so last. */
export function withOnePrimary(items: readonly Item[], touched: ReadonlySet<Item>): Item[] {
  const chosen = items.filter((item) => touched.has(item) && isPrimary(item)).at(-1)
  if (chosen === undefined) return [...items]
  return items.map((item) => (item !== chosen && isPrimary(item) ? { ...item, primary: false } : item))
}

function identity(item: Item): string {
  return isFields(item) ? JSON.stringify(Object.entries(item).sort()) : JSON.stringify(item)
}

function distinctive(item: Item): unknown {
  return isFields(item) ? (item.value ?? identity(item)) : item
}
