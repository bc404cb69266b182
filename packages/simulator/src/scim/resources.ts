import type { Filter } from './filter-grammar.ts'
import type { ResourceType } from './schemas.ts'
import type { Fields } from './values.ts'

/** What a directory has of one type of resource, as its endpoint reads and writes it. */
export interface Resources<Item = unknown> {
  readonly type: ResourceType
  /** A PATCH is answered with the resource, or where that can be very long, with nothing. */
  readonly answersPatch: boolean
  readonly all: readonly Item[]
  /** Those that the filter can find, where an index tells. */
  candidates(filter: Filter): readonly Item[] | undefined
  /** @throws EnvironmentError 'not-found', also for another directory's */
  get(id: string): Item
  represent(item: Item): Fields
  create(body: unknown): Item
  replace(id: string, body: unknown): Item
  patch(id: string, body: unknown): Item
  remove(id: string): void
}
