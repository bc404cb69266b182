import { connectNodeAdapter } from '@connectrpc/connect-node'
import type { Clock } from '@scalekit-scim/core'
import { DirectoryService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'
import { OrganizationService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/organizations/organizations_pb.js'
import type { Router } from 'express'
import type { Environment } from '../environment/environment.ts'
import type { Http2Listener, Port } from '../port.ts'
import { directoryService } from './directories.ts'
import type { ApiFaultDraw } from './faults.ts'
import { connectionValues, interceptors } from './interceptors.ts'
import { organizationService } from './organizations.ts'
import { AccessTokens, tokenRoutes } from './tokens.ts'

export interface ApiOptions {
  environment: Environment
  clock: Clock
  faults: ApiFaultDraw
  clientId: string
  clientSecret: string
  tokenSeconds: number
  requestsPerMinute?: number
  /** The port that serves the API. */
  port: Port
}

export interface Api {
  /** `POST /oauth/token` and `GET /keys`. */
  routes: Router
  /** The gRPC services. */
  rpc: Http2Listener
}

export function createApi(options: ApiOptions): Api {
  const { environment, faults, port } = options
  const { url } = port
  const tokens = new AccessTokens({ ...options, issuer: url })
  const rpc = connectNodeAdapter({
    connect: false,
    grpcWeb: false,
    // Answers are not compressed, although the SDK accepts gzip. On one machine, gzip saves nothing and costs client
    // and server a fifth of their time.
    compressMinBytes: Number.POSITIVE_INFINITY,
    interceptors: interceptors({ ...options, tokens }),
    contextValues: (request) => connectionValues(request, port),
    routes: (router) => {
      router.service(DirectoryService, directoryService({ environment, faults, url }))
      router.service(OrganizationService, organizationService({ environment, faults }))
    },
  })
  return { routes: tokenRoutes(tokens, faults), rpc }
}
