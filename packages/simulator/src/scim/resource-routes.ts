import { createHash } from 'node:crypto'
import { isJsonObject, type JsonObject } from '@scalekit-scim/core/internal'
import { type Request, type Response, Router } from 'express'
import type { Group, User } from '../environment/records.ts'
import { badRequest, ScimError } from './errors.ts'
import { matches } from './filter.ts'
import { parseFilter } from './filter-grammar.ts'
import { listMessage, readPage, sendScim } from './messages.ts'
import { readProjection } from './projection.ts'
import type { Resources } from './resources.ts'

/** The endpoint of one type of resource (RFC 7644, 3). */
export function resourceRoutes<Item extends User | Group>(
  resourcesOf: (response: Response) => Resources<Item>,
): Router {
  const router = Router()
  // The query is read first, so that a request with an invalid query changes nothing.
  const open = (request: Request, response: Response) => {
    const resources = resourcesOf(response)
    const projection = readProjection(resources.type, request.query)
    const answer = (status: 200 | 201, item: Item) => {
      const resource = versioned(resources.represent(item))
      if (status === 201) response.location(resource.meta.location)
      // If a GET has this version in `If-None-Match`, Express answers 304.
      response.set('ETag', resource.meta.version)
      sendScim(response, status, projection.of(resource))
    }
    return { resources, projection, answer }
  }

  router.get('/', (request, response) => {
    sendScim(response, 200, listed(resourcesOf(response), request.query))
  })

  router.post('/', (request, response) => {
    const { resources, answer } = open(request, response)
    answer(201, resources.create(request.body))
  })

  router.get('/:id', (request, response) => {
    const { resources, answer } = open(request, response)
    answer(200, resources.get(request.params.id))
  })

  router.put('/:id', (request, response) => {
    const { resources, answer } = open(request, response)
    checkVersion(request, resources, request.params.id)
    answer(200, resources.replace(request.params.id, request.body))
  })

  router.patch('/:id', (request, response) => {
    const { resources, projection, answer } = open(request, response)
    checkVersion(request, resources, request.params.id)
    const item = resources.patch(request.params.id, request.body)
    // RFC 7644, 3.5.2: if a request names attributes, the response contains them.
    if (projection.isAll && !resources.answersPatch) response.status(204).end()
    else answer(200, item)
  })

  router.delete('/:id', (request, response) => {
    const resources = resourcesOf(response)
    checkVersion(request, resources, request.params.id)
    resources.remove(request.params.id)
    response.status(204).end()
  })

  return router
}

interface Versioned extends JsonObject {
  meta: { location: string; version: string }
}

function listed<Item extends User | Group>(
  resources: Resources<Item>,
  query: Readonly<JsonObject>,
): JsonObject {
  const { startIndex, count } = readPage(query)
  const projection = readProjection(resources.type, query)
  const found = filtered(resources, query.filter)
  const page = found.slice(startIndex - 1, startIndex - 1 + count)
  const shown = page.map((item) => projection.of(versioned(resources.represent(item))))
  return listMessage(shown, found.length, startIndex)
}

function filtered<Item extends User | Group>(resources: Resources<Item>, text: unknown): readonly Item[] {
  if (text === undefined || text === '') return resources.all
  if (typeof text !== 'string') throw badRequest('invalidFilter', 'filter must be given once')
  const filter = parseFilter(text)
  return (
    resources.candidates(filter) ?? resources.all.filter((item) => matches(resources.represent(item), filter))
  )
}

/**
 * RFC 7644, 3.14. The version is a digest of the whole representation, because a change of members does not change the
 * times of a group.
 */
function versioned(resource: JsonObject): Versioned {
  const digest = createHash('sha256').update(JSON.stringify(resource)).digest('base64url').slice(0, 20)
  const meta = isJsonObject(resource.meta) ? resource.meta : {}
  return { ...resource, meta: { ...meta, location: String(meta.location), version: `W/"${digest}"` } }
}

function checkVersion<Item extends User | Group>(
  request: Request,
  resources: Resources<Item>,
  id: string,
): void {
  const ifMatch = request.get('if-match')
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const { version } = versioned(resources.represent(resources.get(id))).meta
  if (ifMatch.split(',').some((tag) => tag.trim() === version)) return
  throw new ScimError(412, 'the version in If-Match is not the current one')
}
