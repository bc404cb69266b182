import type { Http2Stream } from 'node:http2'

/**
 * Resets a request's HTTP/2 stream after the reply: RST_STREAM with NO_ERROR (RFC 9113, 8.1). The sender then stops
 * sending an unread body. Over HTTP/1, the header `connection: close` has the same effect.
 *
 * Discards the buffered part of the body. While that part is buffered, Node does not close the stream and its session.
 */
export function resetAfterReply(request: object): void {
  const stream: unknown = 'stream' in request ? request.stream : undefined
  if (!isHttp2Stream(stream)) return
  const reset = () => {
    stream.close(noError)
    stream.resume()
    if ('resume' in request && typeof request.resume === 'function') request.resume()
  }
  if (stream.writableFinished) reset()
  else stream.once('finish', reset)
}

/** NGHTTP2_NO_ERROR. An import of `node:http2` for this constant would load the module in each application. */
const noError = 0

function isHttp2Stream(value: unknown): value is Http2Stream {
  return typeof value === 'object' && value !== null && 'rstCode' in value && 'close' in value
}
