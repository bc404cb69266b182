import { createHash } from 'node:crypto'
import { type Request, type Response, Router } from 'express'
import { badRequest, ScimError } from './errors.ts'
import { matches } from './filter.ts'
import { parseFilter } from './filter-grammar.ts'
import { listMessage, readPage, sendScim } from './messages.ts'
import { readProjection } from './projection.ts'
import type { Resources } from './resources.ts'
import { type Fields, isFields } from './values.ts'

/** The endpoint of one type of resource (RFC 7644, 3). */
export function resourceRoutes<Item>(open: (response: Response) => Resources<Item>): Router {
  const router = Router()

  router.get('/', (request, response) => {
    sendScim(response, 200, listed(open(response), request.query))
  })

  router.post('/', (request, response) => {
    const resources = open(response)
    const projection = readProjection(resources.type, request.query)
    const resource = versioned(resources.represent(resources.create(request.body)))
    response.location(resource.meta.location)
    answer(response, 201, resource, projection.of)
  })

  router.get('/:id', (request, response) => {
    const resources = open(response)
    const projection = readProjection(resources.type, request.query)
    const resource = versioned(resources.represent(resources.get(request.params.id)))
    answer(response, 200, resource, projection.of)
  })

  router.put('/:id', (request, response) => {
    const resources = open(response)
    const projection = readProjection(resources.type, request.query)
    checkVersion(request, resources, request.params.id)
    const item = resources.replace(request.params.id, request.body)
    answer(response, 200, versioned(resources.represent(item)), projection.of)
  })

  router.patch('/:id', (request, response) => {
    const resources = open(response)
    const projection = readProjection(resources.type, request.query)
    checkVersion(request, resources, request.params.id)
    const item = resources.patch(request.params.id, request.body)
    // RFC 7644, 3.5.2: who names attributes is to see them.
    if (projection.isAll && !resources.answersPatch) response.status(204).end()
    else answer(response, 200, versioned(resources.represent(item)), projection.of)
  })

  router.delete('/:id', (request, response) => {
    const resources = open(response)
    checkVersion(request, resources, request.params.id)
    resources.remove(request.params.id)
    response.status(204).end()
  })

  return router
}

interface Versioned extends Fields {
  meta: { location: string; version: string }
}

function answer(
  response: Response,
  status: number,
  resource: Versioned,
  project: (resource: Fields) => Fields,
): void {
  // Express answers a GET that knows this version already with 304.
  response.set('ETag', resource.meta.version)
  sendScim(response, status, project(resource))
}

function listed<Item>(resources: Resources<Item>, query: Readonly<Fields>): Fields {
  const { startIndex, count } = readPage(query)
  const projection = readProjection(resources.type, query)
  const found = filtered(resources, query.filter)
  const page = found.slice(startIndex - 1, startIndex - 1 + count)
  const shown = page.map((item) => projection.of(versioned(resources.represent(item))))
  return listMessage(shown, found.length, startIndex)
}

function filtered<Item>(resources: Resources<Item>, text: unknown): readonly Item[] {
  if (text === undefined || text === '') return resources.all
  if (typeof text !== 'string') throw badRequest('invalidFilter', 'filter must be given once')
  const filter = parseFilter(text)
  return (
    resources.candidates(filter) ?? resources.all.filter((item) => matches(resources.represent(item), filter))
  )
}

/** RFC 7644, 3.14. The version is a digest of all that is shown, as a group's members do not move its times. */
function versioned(resource: Fields): Versioned {
  const digest = createHash('sha256').update(JSON.stringify(resource)).digest('base64url').slice(0, 20)
  const meta = isFields(resource.meta) ? resource.meta : {}
  return { ...resource, meta: { ...meta, location: String(meta.location), version: `W/"${digest}"` } }
}

function checkVersion<Item>(request: Request, resources: Resources<Item>, id: string): void {
  const wanted = request.get('if-match')
  if (wanted === undefined || wanted.trim() === '*') return
  const { version } = versioned(resources.represent(resources.get(id))).meta
  if (wanted.split(',').some((tag) => tag.trim() === version)) return
  throw new ScimError(412, 'the resource is no longer as If-Match has it')
}
