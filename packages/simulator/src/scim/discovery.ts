import { type Response, Router } from 'express'
import { listMessage, maxResults, ScimError, sendScim } from './messages.ts'
import { scopeOf } from './resources.ts'
import { resourceTypes } from './schemas.ts'

const schemaPrefix = 'urn:ietf:params:scim:schemas:core:2.0'

const serviceProviderConfig = {
  schemas: [`${schemaPrefix}:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: "The directory's SCIM token, in the Authorization header.",
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
  ],
}

const types = resourceTypes.map(({ name, endpoint, schema, extension }) => ({
  schemas: [`${schemaPrefix}:ResourceType`],
  id: name,
  name,
  endpoint,
  description: schema.description,
  schema: schema.id,
  schemaExtensions: extension ? [{ schema: extension.id, required: false }] : [],
}))

const schemas = resourceTypes.flatMap(({ schema, extension }) => (extension ? [schema, extension] : [schema]))

/** Answers requests for the description of the server (RFC 7643, 5 to 7; RFC 7644, 4). */
export function discoveryRoutes(): Router {
  const router = Router()
  const described = (item: object, resourceType: string, path: string, response: Response) => ({
    ...item,
    meta: { resourceType, location: `${scopeOf(response).baseUrl}${path}` },
  })
  const configPath = '/ServiceProviderConfig'
  router.get(configPath, (_request, response) => {
    sendScim(response, 200, described(serviceProviderConfig, 'ServiceProviderConfig', configPath, response))
  })
  for (const [resourceType, items] of [
    ['ResourceType', types],
    ['Schema', schemas],
  ] as const) {
    const path = `/${resourceType}s`
    router.get(path, (request, response) => {
      // RFC 7644, 4: the server must refuse a filter here.
      if (request.query.filter !== undefined) throw new ScimError(403, 'filters are not supported here')
      const all = items.map((item) => described(item, resourceType, `${path}/${item.id}`, response))
      sendScim(response, 200, listMessage(all, all.length, 1))
    })
    router.get(`${path}/:id`, (request, response) => {
      const found = items.find(({ id }) => id === request.params.id)
      if (!found) throw new ScimError(404, 'not found')
      sendScim(response, 200, described(found, resourceType, `${path}/${found.id}`, response))
    })
  }
  return router
}
