/**
 * Resets a request's HTTP/2 stream when the reply has been sent, so that its sender stops sending a body that nobody
 * reads (RFC 9113, 8.1: RST_STREAM with NO_ERROR). Over HTTP/1 the header `connection: close` does the same.
 *
 * What has arrived of the body is discarded. As long as it is buffered, Node keeps the stream and its session open.
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

/** NGHTTP2_NO_ERROR, without loading `node:http2` for everybody. */
const noError = 0

interface Http2Stream {
  writableFinished: boolean
  once(event: 'finish', listener: () => void): unknown
  close(code: number): void
  resume(): unknown
}

function isHttp2Stream(value: unknown): value is Http2Stream {
  return typeof value === 'object' && value !== null && 'rstCode' in value && 'close' in value
}
