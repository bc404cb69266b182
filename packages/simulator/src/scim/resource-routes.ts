import { type Request, type Response, Router } from 'express'
import type { Group, User } from '../environment/records.ts'
import { listMessage, readPage, ScimError, sendScim } from './messages.ts'
import { readProjection } from './projection.ts'
import { type Resources, type Scope, scopeOf } from './resources.ts'

/** The endpoint of one type of resource (RFC 7644, 3). */
export function resourceRoutes<Item extends User | Group>(
  ItemResources: new (scope: Scope) => Resources<Item>,
): Router {
  const router = Router()
  const open = (response: Response) => new ItemResources(scopeOf(response))
  const on = (
    method: 'post' | 'get' | 'put' | 'patch',
    path: '/' | '/:id',
    act: (resources: Resources<Item>, request: Request<{ id: string }>) => Item,
  ) => {
    router[method](path, (request: Request<{ id: string }>, response: Response) => {
      const resources = open(response)
      // Reads the query before a change, so that a request with an invalid query changes nothing.
      const projection = readProjection(resources.type, request.query)
      const resource = resources.represent(act(resources, request))
      if (method === 'post') response.location(resource.meta.location)
      // If `If-None-Match` contains the version of the resource, Express answers 304.
      response.set('ETag', resource.meta.version)
      // RFC 7644, 3.5.2: if a request has `attributes`, the response contains the requested attributes.
      if (method === 'patch' && projection.isAll && !resources.answersPatch) response.status(204).end()
      else sendScim(response, method === 'post' ? 201 : 200, projection.of(resource))
    })
  }

  router.param('id', (request, response, next, id: string) => {
    const ifMatch = request.get('if-match')
    if (ifMatch !== undefined && ifMatch.trim() !== '*') {
      const resources = open(response)
      const { version } = resources.represent(resources.get(id)).meta
      if (!ifMatch.split(',').some((tag) => tag.trim() === version)) {
        throw new ScimError(412, 'the version in If-Match is not the current version')
      }
    }
    next()
  })
  router.get('/', (request, response) => {
    const resources = open(response)
    const projection = readProjection(resources.type, request.query)
    const { startIndex, count } = readPage(request.query)
    const found = resources.filtered(request.query.filter)
    const page = found.slice(startIndex - 1, startIndex - 1 + count)
    const shown = page.map((item) => projection.of(resources.represent(item)))
    sendScim(response, 200, listMessage(shown, found.length, startIndex))
  })
  on('post', '/', (resources, { body }) => resources.create(body))
  on('get', '/:id', (resources, { params }) => resources.get(params.id))
  on('put', '/:id', (resources, { params, body }) => resources.replace(params.id, body))
  on('patch', '/:id', (resources, { params, body }) => resources.patch(params.id, body))
  router.delete('/:id', (request, response) => {
    open(response).remove(request.params.id)
    response.status(204).end()
  })
  return router
}
