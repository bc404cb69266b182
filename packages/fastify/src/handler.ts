import type { Readable } from 'node:stream'
import type { Receiver } from '@scalekit-scim/core'
import { readSafely, requestBody, resetAfterReply } from '@scalekit-scim/core/adapter'
import type { FastifyReply, FastifyRequest } from 'fastify'

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** The handler of the endpoint's route. */
export function handlerOf(receiver: Receiver, logsByRequest: boolean): Handler {
  return async (request, reply) => {
    // A getter of the host can throw. `receive` reads each property once, and handles the error.
    const answer = await receiver.receive({
      get method() {
        return request.method
      },
      get url() {
        return request.originalUrl
      },
      get headers() {
        return request.headers
      },
      get params() {
        return request.params as Record<string, string>
      },
      get body() {
        return requestBody(streamOf(request), [request, request.raw], bodyFix)
      },
      get log() {
        return logsByRequest ? request.log : undefined
      },
    })
    if (reply.sent) return undefined
    const { connection, ...headers } = answer.headers
    if (connection !== undefined) endConnection(request, reply, connection)
    return reply.code(answer.status).headers(headers).send(Buffer.from(answer.body))
  }
}

const bodyFix =
  'The hook that reads the body must store the bytes as `request.rawBody`. fastify-raw-body does this with `encoding: false`. ' +
  'Register the hook before scalekitScim. The body must be within the `bodyLimit` of Fastify. An Express parser stores the bytes with its `verify` option'

/** Returns the stream from our parser or a host's hook. For a request without a body, returns the request itself. */
function streamOf(request: FastifyRequest): Readable {
  const body: unknown = readSafely(() => request.body)
  return isStream(body) ? body : request.raw
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body
}

/**
 * Ends the connection after an unread body. Over HTTP/2, Node refuses the `connection` header, so the stream is reset
 * instead.
 */
function endConnection(request: FastifyRequest, reply: FastifyReply, connection: string): void {
  if (readSafely(() => request.raw.httpVersionMajor >= 2)) resetAfterReply(request.raw)
  else reply.header('connection', connection)
}
