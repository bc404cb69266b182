import { isJsonObject } from '@scalekit-scim/core/internal'
import { isPrimary } from './values.ts'

// Multi-valued attributes (RFC 7643, 2.4).

export type Item = unknown

/** Adds only items that are not yet in the list (RFC 7644, 3.5.2.1). */
export function addTo(items: readonly Item[], value: Item): Item[] {
  const wanted = [value].flat()
  const values = new Set(wanted.map(keyOf))
  const present = new Set(items.filter((item) => values.has(keyOf(item))).map(textOf))
  const added = wanted.filter((item) => present.size < present.add(textOf(item)).size)
  return withOnePrimary([...items, ...added], new Set(added))
}

/** Compares items by their `value`, because the client's other sub-attributes may be outdated. */
export function removeFrom(items: readonly Item[], value: Item): Item[] {
  const removed = new Set([value].flat().map(keyOf))
  return items.filter((item) => !removed.has(keyOf(item)))
}

/** If edited items are primary, only the last of them stays primary, and no other item. */
export function withOnePrimary(items: readonly Item[], edited: ReadonlySet<Item>): Item[] {
  const primary = items.filter((item) => edited.has(item) && isPrimary(item)).at(-1)
  if (primary === undefined) return [...items]
  return items.map((item) => (item !== primary && isPrimary(item) ? { ...item, primary: false } : item))
}

function textOf(item: Item): string {
  return isJsonObject(item) ? JSON.stringify(Object.entries(item).sort()) : JSON.stringify(item)
}

function keyOf(item: Item): unknown {
  return isJsonObject(item) ? (item.value ?? textOf(item)) : item
}
