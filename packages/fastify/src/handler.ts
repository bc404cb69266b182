import type { Readable } from 'node:stream'
import type { Attempt, Logger, Receiver } from '@scalekit-scim/core'
import {
  type BodyReader,
  type Reply,
  readSafely,
  requestBody,
  resetAfterReply,
} from '@scalekit-scim/core/adapter'
import type { FastifyReply, FastifyRequest } from 'fastify'

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** The handler of the endpoint's route. */
export function handlerOf(receiver: Receiver, logsByRequest: boolean): Handler {
  return async (request, reply) => {
    const answer = await receiver.receive(new RequestAttempt(request, logsByRequest))
    if (reply.sent) return undefined
    const { status, headers, body } = answer
    if (headers.connection !== undefined && isHttp2(request)) endHttp2Stream(request, reply, headers)
    else reply.headers(headers)
    // As text, the body and the head are one write. The serializer replaces one that a hook of the host has set.
    return reply.code(status).serializer(asIs).send(body)
  }
}

const asIs = (body: string) => body

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

function isHttp2({ raw }: FastifyRequest): boolean {
  return readSafely(() => raw.httpVersionMajor >= 2) === true
}

/** Over HTTP/2, Node refuses the `connection` header, so the stream is reset after the reply to an unread body. */
function endHttp2Stream({ raw }: FastifyRequest, reply: FastifyReply, headers: Reply['headers']): void {
  const { connection: _, ...allowed } = headers
  reply.headers(allowed)
  resetAfterReply(raw)
}
