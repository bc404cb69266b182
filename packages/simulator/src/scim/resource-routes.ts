import { type Request, type Response, Router } from 'express'
import type { Group, User } from '../environment/records.ts'
import { listMessage, readPage, ScimError, sendScim } from './messages.ts'
import { readProjection } from './projection.ts'
import type { Resources } from './resources.ts'

/** The endpoint of one type of resource (RFC 7644, 3). */
export function resourceRoutes<Item extends User | Group>(
  resourcesOf: (response: Response) => Resources<Item>,
): Router {
  const router = Router()
  // Reads the query first, so that a request with an invalid query changes nothing.
  const open = (request: Request, response: Response) => {
    const resources = resourcesOf(response)
    const projection = readProjection(resources.type, request.query)
    const answer = (status: 200 | 201, item: Item) => {
      const resource = resources.represent(item)
      if (status === 201) response.location(resource.meta.location)
      // If `If-None-Match` has this version, Express answers 304.
      response.set('ETag', resource.meta.version)
      sendScim(response, status, projection.of(resource))
    }
    return { resources, projection, answer }
  }

  router.get('/', (request, response) => {
    const { resources, projection } = open(request, response)
    const { startIndex, count } = readPage(request.query)
    const found = resources.filtered(request.query.filter)
    const page = found.slice(startIndex - 1, startIndex - 1 + count)
    const shown = page.map((item) => projection.of(resources.represent(item)))
    sendScim(response, 200, listMessage(shown, found.length, startIndex))
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
    // RFC 7644, 3.5.2: if a request has `attributes`, the response contains these attributes.
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

function checkVersion<Item extends User | Group>(
  request: Request,
  resources: Resources<Item>,
  id: string,
): void {
  const ifMatch = request.get('if-match')
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const { version } = resources.represent(resources.get(id)).meta
  if (ifMatch.split(',').some((tag) => tag.trim() === version)) return
  throw new ScimError(412, 'the version in If-Match is not the current one')
}
