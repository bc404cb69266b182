import type { JsonObject } from '@scalekit-scim/core/internal'
import { type Response, Router } from 'express'
import { listMessage, maxResults, ScimError, sendScim } from './messages.ts'
import { type ResourceType, resourceTypes, type Schema } from './schemas.ts'

const schemas = resourceTypes.flatMap(({ schema, extension }) => (extension ? [schema, extension] : [schema]))

const schemaPrefix = 'urn:ietf:params:scim:schemas:core:2.0'

/** Describes the server (RFC 7643, 5 to 7; RFC 7644, 4). */
export function discoveryRoutes(baseUrlOf: (response: Response) => string): Router {
  const router = Router()
  router.get('/ServiceProviderConfig', (_request, response) => {
    sendScim(response, 200, serviceProviderConfig(baseUrlOf(response)))
  })
  const lists: [path: string, describe: (baseUrl: string) => (JsonObject & { id: string })[]][] = [
    ['/ResourceTypes', (baseUrl) => resourceTypes.map((type) => describeType(type, baseUrl))],
    ['/Schemas', (baseUrl) => schemas.map((schema) => describeSchema(schema, baseUrl))],
  ]
  for (const [path, describe] of lists) {
    router.get(path, (request, response) => {
      // RFC 7644, 4: the server must refuse a filter here.
      if (request.query.filter !== undefined) throw new ScimError(403, 'filters are not supported here')
      const items = describe(baseUrlOf(response))
      sendScim(response, 200, listMessage(items, items.length, 1))
    })
    router.get(`${path}/:id`, (request, response) => {
      const item = describe(baseUrlOf(response)).find(({ id }) => id === request.params.id)
      if (!item) throw new ScimError(404, 'not found')
      sendScim(response, 200, item)
    })
  }
  return router
}

function serviceProviderConfig(baseUrl: string): JsonObject {
  return {
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
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  }
}

function describeType({ name, endpoint, schema, extension }: ResourceType, baseUrl: string) {
  return {
    schemas: [`${schemaPrefix}:ResourceType`],
    id: name,
    name,
    endpoint,
    description: schema.description,
    schema: schema.id,
    schemaExtensions: extension ? [{ schema: extension.id, required: false }] : [],
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${name}` },
  }
}

function describeSchema(schema: Schema, baseUrl: string) {
  return {
    ...schema,
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${schema.id}` },
  }
}
