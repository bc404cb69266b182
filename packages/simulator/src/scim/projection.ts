import { isJsonObject, type JsonObject, omitUndefined } from '@scalekit-scim/core/internal'
import type { PathSteps } from './filter-grammar.ts'
import { badRequest } from './messages.ts'
import { readPath } from './path.ts'
import type { ResourceType } from './schemas.ts'

/** Returns the attributes that a client requests (RFC 7644, 3.9). */
export function readProjection(type: ResourceType, query: Readonly<JsonObject>) {
  const wanted = readNames(type, 'attributes', query.attributes)
  const unwanted = readNames(type, 'excludedAttributes', query.excludedAttributes)
  // RFC 7643, 7: a client cannot exclude attributes that the server always returns.
  const omitted = unwanted?.filter(([name]) => name !== 'schemas' && name !== 'id')
  return {
    isAll: !wanted && !unwanted,
    of(resource: JsonObject): JsonObject {
      if (wanted) return project(resource, [['schemas'], ['id'], ...wanted], true)
      return omitted ? project(resource, omitted, false) : resource
    },
  }
}

function readNames(type: ResourceType, parameter: string, value: unknown): PathSteps[] | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw badRequest('invalidValue', `give ${parameter} only once`)
  return value.split(',').map((text) => {
    const { extension, name, subName } = readPath(type, text.trim())
    return [extension, name, subName].filter((step) => step !== undefined)
  })
}

/** With `isPicked`, returns only the attributes at the paths. Without `isPicked`, returns all other attributes. */
function project(fields: JsonObject, paths: readonly PathSteps[], isPicked: boolean): JsonObject {
  const entries = Object.entries(fields).map(([name, value]) => {
    const through = paths.filter(([step]) => step?.toLowerCase() === name.toLowerCase())
    const rests = through.map((path) => path.slice(1))
    if (rests.length === 0) return [name, isPicked ? undefined : value]
    if (rests.some((rest) => rest.length === 0)) return [name, isPicked ? value : undefined]
    return [name, within(value, rests, isPicked)]
  })
  return omitUndefined(Object.fromEntries(entries))
}

function within(value: unknown, paths: readonly PathSteps[], isPicked: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => within(item, paths, isPicked))
  return isJsonObject(value) ? project(value, paths, isPicked) : value
}
