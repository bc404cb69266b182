import type { Readable } from 'node:stream'
import type { Receiver } from '@scalekit-scim/core'
import { requestBody, resetAfterReply } from '@scalekit-scim/core/adapter'
import type { FastifyReply, FastifyRequest } from 'fastify'

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** Answers whatever reaches the route. */
export function handlerOf(receiver: Receiver, logsByRequest: boolean): Handler {
  return async (request, reply) => {
    // The host may define any property as a getter that throws: `receive` reads them one by one.
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
        return requestBody(streamOf(request), [request, request.raw], keepBytes)
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

const keepBytes =
  'Let the hook that reads it keep the bytes as `request.rawBody`. fastify-raw-body does so with `encoding: false`, if it ' +
  'is registered before scalekitScim and the body is within the `bodyLimit` of Fastify. An Express parser does so with its `verify` option'

/** What our parser has handed on, or a host's hook has put in its place; without a body, the request itself. */
function streamOf(request: FastifyRequest): Readable {
  const body = bodyOf(request)
  return isStream(body) ? body : request.raw
}

function bodyOf(request: FastifyRequest): unknown {
  try {
    return request.body
  } catch {
    return undefined
  }
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body
}

/** The rest of the body is not read. HTTP/2 has no such header, and Node refuses it there: its stream is reset. */
function endConnection(request: FastifyRequest, reply: FastifyReply, connection: string): void {
  if (isHttp2(request)) resetAfterReply(request.raw)
  else reply.header('connection', connection)
}

function isHttp2(request: FastifyRequest): boolean {
  try {
    return request.raw.httpVersionMajor >= 2
  } catch {
    return false
  }
}
