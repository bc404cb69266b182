import { createHash } from 'node:crypto'
import { isJsonObject, type JsonObject } from '@scalekit-scim/core/internal'
import type { Response } from 'express'
import type { DirectoryContents } from '../environment/directory-contents.ts'
import type { Environment } from '../environment/environment.ts'
import { formatMicros } from '../environment/events.ts'
import { EnvironmentError, type Group, type User } from '../environment/records.ts'
import { filteredValue, matches } from './filter.ts'
import { parseFilter } from './filter-grammar.ts'
import { badRequest } from './messages.ts'
import { patchResource } from './patch.ts'
import type { ResourceType } from './schemas.ts'
import { readResource } from './values.ts'

/** The directory of a request. */
export interface Scope {
  environment: Environment
  directoryId: string
  /** The address of the directory's endpoint, in the form that the client uses. */
  baseUrl: string
}

/** Returns the directory that the router stored in the response. */
export function scopeOf({ locals }: Response): Scope {
  return locals.scope
}

type Find<Item> = (value: string) => Item | undefined

/** The resources of one type in a directory, in the format of SCIM. */
export abstract class Resources<Item extends User | Group = User | Group> {
  abstract readonly type: ResourceType
  /**
   * Whether the answer to a PATCH contains the resource. For groups, the value is `false`, because groups can be long.
   */
  abstract readonly answersPatch: boolean
  protected readonly scope: Scope
  protected readonly contents: DirectoryContents

  constructor(scope: Scope) {
    this.scope = scope
    this.contents = scope.environment.contents(scope.directoryId)
  }

  abstract create(body: unknown): Item
  abstract remove(id: string): void
  protected abstract get all(): readonly Item[]
  /** The attributes that are unique in the directory, each with a function that returns the item for a value. */
  protected abstract readonly indexes: { id: Find<Item>; userName?: Find<Item> }
  protected abstract change(item: Item, resource: JsonObject): Item
  /** Returns the resource without `meta`. */
  protected abstract fieldsOf(item: Item): JsonObject

  /**
   * Returns the resource with its version (RFC 7644, 3.14). The version is a digest of the whole resource, because a
   * new member does not change the times of a group.
   */
  represent(item: Item) {
    const fields = this.fieldsOf(item)
    const meta = {
      resourceType: this.type.name,
      created: formatMicros(item.createdAtMicros),
      lastModified: formatMicros(item.updatedAtMicros),
      location: `${this.scope.baseUrl}${this.type.endpoint}/${item.id}`,
    }
    const text = JSON.stringify({ ...fields, meta })
    const digest = createHash('sha256').update(text).digest('base64url').slice(0, 20)
    return { ...fields, meta: { ...meta, version: `W/"${digest}"` } }
  }

  /** Returns the items that match the filter of a request. */
  filtered(text: unknown): readonly Item[] {
    if (text === undefined || text === '') return this.all
    if (typeof text !== 'string') throw badRequest('invalidFilter', 'give filter only once')
    const { filter } = parseFilter(text)
    for (const [name, find] of Object.entries(this.indexes)) {
      const value = filteredValue(filter, name)
      if (value !== undefined) return [find(value)].filter((item) => item !== undefined)
    }
    return this.all.filter((item) => matches(this.represent(item), filter))
  }

  /** @throws EnvironmentError 'not-found', also if the item is in another directory */
  get(id: string): Item {
    const item = this.indexes.id(id)
    if (!item) throw new EnvironmentError('not-found', `${this.type.name.toLowerCase()} not found`)
    return item
  }

  /** A PUT clears all absent attributes (RFC 7644, 3.5.1), except `externalId`. Only null clears `externalId`. */
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
}
