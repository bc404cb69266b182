import { isJsonObject, type JsonObject } from '@scalekit-scim/core/internal'
import type { DirectoryContents } from '../environment/directory-contents.ts'
import type { Environment } from '../environment/environment.ts'
import { EnvironmentError } from '../environment/errors.ts'
import { formatMicros } from '../environment/events.ts'
import type { Group, User } from '../environment/records.ts'
import { filteredValue } from './filter.ts'
import type { Filter } from './filter-grammar.ts'
import { patchResource } from './patch.ts'
import type { ResourceType } from './schemas.ts'
import type { Session } from './session.ts'
import { readResource } from './values.ts'

/** The resources of one type in a directory, as an endpoint reads and writes them. */
export abstract class Resources<Item extends User | Group = User | Group> {
  abstract readonly type: ResourceType
  /** Whether the answer to a PATCH contains the resource. For groups it does not, because groups can be very long. */
  abstract readonly answersPatch: boolean
  protected readonly environment: Environment
  protected readonly directoryId: string
  protected readonly contents: DirectoryContents
  protected readonly baseUrl: string

  constructor(environment: Environment, { directory, baseUrl }: Session) {
    this.environment = environment
    this.directoryId = directory.id
    this.contents = environment.contents(directory.id)
    this.baseUrl = baseUrl
  }

  abstract get all(): readonly Item[]
  abstract represent(item: Item): JsonObject
  abstract create(body: unknown): Item
  abstract remove(id: string): void
  protected abstract find(id: string): Item | undefined
  protected abstract change(item: Item, resource: JsonObject): Item

  /** The items that can match the filter, or `undefined` if no index applies. */
  candidates(filter: Filter): readonly Item[] | undefined {
    const id = filteredValue(filter, 'id')
    return id === undefined ? undefined : [this.find(id)].filter((item) => item !== undefined)
  }

  /** @throws EnvironmentError 'not-found', also for an item of another directory */
  get(id: string): Item {
    const item = this.find(id)
    if (!item) throw new EnvironmentError('not-found', `${this.type.name.toLowerCase()} not found`)
    return item
  }

  /**
   * A PUT clears the attributes that it omits (RFC 7644, 3.5.1), except `externalId`. Only null clears `externalId`.
   */
  replace(id: string, body: unknown): Item {
    const item = this.get(id)
    const resource = readResource(this.type, body)
    const isNamed =
      isJsonObject(body) && Object.keys(body).some((name) => name.toLowerCase() === 'externalid')
    if (!isNamed && item.externalId !== undefined) resource.externalId = item.externalId
    return this.change(item, resource)
  }

  patch(id: string, body: unknown): Item {
    const item = this.get(id)
    const resource = patchResource(this.type, this.represent(item), body)
    return this.change(item, readResource(this.type, resource))
  }

  protected metaOf({ id, createdAtMicros, updatedAtMicros }: Item): JsonObject {
    return {
      resourceType: this.type.name,
      created: formatMicros(createdAtMicros),
      lastModified: formatMicros(updatedAtMicros),
      location: `${this.baseUrl}${this.type.endpoint}/${id}`,
    }
  }
}
