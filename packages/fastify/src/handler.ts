import type { Readable } from 'node:stream'
import type { Attempt, Logger, Receiver } from '@scalekit-scim/core'
import { type BodyReader, readSafely, requestBody, resetAfterReply } from '@scalekit-scim/core/adapter'
import type { FastifyReply, FastifyRequest } from 'fastify'

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** The handler of the endpoint's route. */
export function handlerOf(receiver: Receiver, logsByRequest: boolean): Handler {
  return async (request, reply) => {
    const answer = await receiver.receive(new RequestAttempt(request, logsByRequest))
    if (reply.sent) return undefined
    const { connection, ...headers } = answer.headers
    if (connection !== undefined) endConnection(request, reply, connection)
    return reply.code(answer.status).headers(headers).send(Buffer.from(answer.body))
  }
}

/** The attempt for `receive`, which reads each property once. A getter of the host can throw: `receive` handles it. */
class RequestAttempt implements Attempt {
  readonly #request: FastifyRequest
  readonly #logsByRequest: boolean

  constructor(request: FastifyRequest, logsByRequest: boolean) {
    this.#request = request
    this.#logsByRequest = logsByRequest
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.originalUrl
  }

  get headers(): FastifyRequest['headers'] {
    return this.#request.headers
  }

  get params(): Record<string, string> {
    return this.#request.params as Record<string, string>
  }

  get body(): BodyReader {
    return requestBody(streamOf(this.#request), [this.#request, this.#request.raw], bodyFix)
  }

  get log(): Logger | undefined {
    return this.#logsByRequest ? this.#request.log : undefined
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
