import { badRequest } from './errors.ts'
import { readPath } from './path.ts'
import type { ResourceType } from './schemas.ts'
import { type Fields, isFields } from './values.ts'

type Steps = readonly string[]

/** What a client wants to see of a resource (RFC 7644, 3.9). */
export interface Projection {
  readonly isAll: boolean
  of(resource: Fields): Fields
}

export function readProjection(type: ResourceType, query: Readonly<Fields>): Projection {
  const wanted = readNames(type, 'attributes', query.attributes)
  const unwanted = readNames(type, 'excludedAttributes', query.excludedAttributes)
  if (wanted) return { isAll: false, of: (resource) => picked(resource, [['schemas'], ['id'], ...wanted]) }
  if (!unwanted) return { isAll: true, of: (resource) => resource }
  // RFC 7643, 7: what is returned 'always' cannot be left out.
  const omitted = unwanted.filter(([name]) => name !== 'schemas' && name !== 'id')
  return { isAll: false, of: (resource) => without(resource, omitted) }
}

function readNames(type: ResourceType, parameter: string, value: unknown): Steps[] | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw badRequest('invalidValue', `${parameter} must be given once`)
  return value.split(',').map((text) => {
    const { extension, name, subName } = readPath(type, text.trim())
    return [extension, name, subName].filter((step) => step !== undefined)
  })
}

function picked(fields: Fields, paths: readonly Steps[]): Fields {
  return eachField(fields, paths, (value, rests) => {
    if (rests.length === 0) return undefined
    return rests.some((rest) => rest.length === 0) ? value : within(value, rests, picked)
  })
}

function without(fields: Fields, paths: readonly Steps[]): Fields {
  return eachField(fields, paths, (value, rests) => {
    if (rests.length === 0) return value
    return rests.some((rest) => rest.length === 0) ? undefined : within(value, rests, without)
  })
}

/** Each field, with the rests of the paths that go through it. */
function eachField(
  fields: Fields,
  paths: readonly Steps[],
  change: (value: unknown, rests: Steps[]) => unknown,
): Fields {
  const entries = Object.entries(fields).map(([name, value]) => {
    const through = paths.filter(([step]) => step?.toLowerCase() === name.toLowerCase())
    return [
      name,
      change(
        value,
        through.map((path) => path.slice(1)),
      ),
    ] as const
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function within(value: unknown, paths: readonly Steps[], change: typeof picked): unknown {
  if (Array.isArray(value)) return value.map((item) => within(item, paths, change))
  return isFields(value) ? change(value, paths) : value
}
