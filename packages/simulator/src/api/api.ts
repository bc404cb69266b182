import { connectNodeAdapter } from '@connectrpc/connect-node'
import { DirectoryService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'
import { OrganizationService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/organizations/organizations_pb.js'
import type { Environment } from '../environment/environment.ts'
import type { Http2Listener } from '../port.ts'
import { directoryService } from './directories.ts'
import type { ApiFaultDraw } from './faults.ts'
import { connectionValues, interceptors } from './interceptors.ts'
import { organizationService } from './organizations.ts'
import { createAccessTokens, type TokenOptions, tokenRoutes } from './tokens.ts'

export interface ApiOptions extends TokenOptions {
  environment: Environment
  faults: ApiFaultDraw
  requestsPerMinute: number | undefined
  /** The simulator's URL. */
  url: string
}

/** Creates `routes` for `POST /oauth/token` and `GET /keys`, and `rpc` for the gRPC services. */
export function createApi(options: ApiOptions) {
  const { environment, clock, faults, requestsPerMinute, url } = options
  const tokens = createAccessTokens(options, url)
  const rpc: Http2Listener = connectNodeAdapter({
    connect: false,
    grpcWeb: false,
    // The simulator does not compress answers, although the SDK accepts gzip. Client and server usually run on one
    // machine. On one machine, gzip has no benefit, and takes a fifth of the time of client and server.
    compressMinBytes: Number.POSITIVE_INFINITY,
    interceptors: interceptors(tokens, faults, clock, requestsPerMinute),
    contextValues: connectionValues,
    routes: (router) => {
      router.service(DirectoryService, directoryService(environment, faults, url))
      router.service(OrganizationService, organizationService(environment))
    },
  })
  return { routes: tokenRoutes(tokens, faults), rpc }
}
