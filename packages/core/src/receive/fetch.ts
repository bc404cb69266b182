import type { Attempt } from './attempt.ts'
import { fetchBody } from './body.ts'
import type { Reply } from './reply.ts'

/** Receives a WHATWG request, and makes its response. */
export async function receiveFetch(
  receive: (attempt: Attempt) => Promise<Reply>,
  request: Request,
  options: { params?: Attempt['params'] } | undefined,
): Promise<Response> {
  let isHead = false
  const reply = await receive({
    get method() {
      isHead = request.method === 'HEAD'
      return request.method
    },
    get url() {
      return request.url
    },
    get headers() {
      return request.headers
    },
    get params() {
      return options?.params
    },
    body: fetchBody(request),
  })
  // The server manages the connection, and computes the length.
  const { connection: _, 'content-length': __, ...headers } = reply.headers
  return new Response(isHead ? null : reply.body, { status: reply.status, headers })
}
