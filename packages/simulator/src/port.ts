import { once } from 'node:events'
import { createServer as createHttp1, type RequestListener, type Server } from 'node:http'
import {
  createServer as createHttp2,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Activity } from './activity.ts'

export type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void

export interface PortOptions {
  host: string
  port: number
  /** The time limit for a client's first bytes. The headers of a request have the same limit. @default 10 000 */
  headersTimeoutMs?: number
}

export type Port = Awaited<ReturnType<typeof openPort>>

/** The first bytes of an HTTP/2 connection without TLS (RFC 9113, 3.4). */
const preface = Buffer.from('PRI')

/** A hint for each of Node's error codes. */
export const portHints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use. Choose another port, or 0 for any free port',
  EACCES: 'ports below 1024 need a special permission. Choose port 1024 or higher',
  EADDRNOTAVAIL: 'the host is not an address of this machine. Choose 127.0.0.1, or 0.0.0.0 for all addresses',
  ENOTFOUND: 'the host name is unknown. Choose 127.0.0.1, or 0.0.0.0 for all addresses of this machine',
}

/** The simulator cannot listen on its host and port. */
export class PortError extends Error {
  override readonly name = 'PortError'
  /** Node's error code, such as `EADDRINUSE`. */
  readonly code: string | undefined

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const { code = 'no code' } = cause
    const hint = portHints[code] ?? 'choose another port'
    super(`Cannot listen on port ${port} of ${host} (${code}): ${hint}.`, { cause })
    this.code = cause.code
  }
}

/** Opens one TCP port for gRPC over HTTP/2 and for all other requests over HTTP/1.1. */
export async function openPort({ host, port, headersTimeoutMs = 10_000 }: PortOptions) {
  const { http1, http2, sockets, sessions, requests } = createServers(headersTimeoutMs)
  const boundPort = await listen(http1, host, port)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    /** Sets the listeners. Call `serve` before any `await`, because without listeners, requests do not get an answer. */
    serve(http1Listener: RequestListener, http2Listener: Http2Listener): void {
      http1.on('request', http1Listener)
      http2.on('request', http2Listener)
    },
    /** Refuses new requests. Waits up to `graceMs` for running requests, and then ends all connections. */
    async close(graceMs = 1000): Promise<void> {
      const closed = new Promise<void>((resolve) => http1.close(() => resolve()))
      for (const session of sessions) session.close()
      await Promise.race([requests.idle(), sleep(graceMs, undefined, { ref: false })])
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/**
 * The HTTP/1.1 server accepts the connections of both protocols. In Node, only a server that listens enforces its
 * timeouts.
 */
function createServers(headersTimeoutMs: number) {
  const sockets = new Set<Socket>()
  const sessions = new Set<Http2Session>()
  const requests = new Activity()
  const track = (response: { once(event: 'close', listener: () => void): unknown }) => {
    void requests.track(new Promise<void>((resolve) => response.once('close', resolve)))
  }
  const timeouts = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: headersTimeoutMs / 10 }
  const http1 = createHttp1(timeouts, (_request, response) => track(response))
  const http2 = createHttp2((_request, response) => track(response))
  http2.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  const http1Listeners = http1.listeners('connection')
  http1.removeAllListeners('connection').on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // If the client disconnects, an error occurs.
    socket.on('error', () => socket.destroy())
    detectProtocol(socket, headersTimeoutMs, (isHttp2) => {
      if (!isHttp2) {
        for (const listener of http1Listeners) listener.call(http1, socket)
        return
      }
      // Only HTTP/1.1 allows a client to close its side of the connection before the answer.
      socket.allowHalfOpen = false
      http2.emit('connection', socket)
    })
  })
  return { http1, http2, sockets, sessions, requests }
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    await once(server.listen(port, host), 'listening')
  } catch (error) {
    throw error instanceof Error ? new PortError(host, port, error) : error
  }
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}

/** Detects the protocol by the first bytes. Puts the bytes back, so that the server reads the bytes again. */
function detectProtocol(socket: Socket, timeoutMs: number, found: (isHttp2: boolean) => void): void {
  let head = Buffer.alloc(0)
  const read = () => {
    const bytes: Buffer | null = socket.read()
    if (!bytes) return
    head = Buffer.concat([head, bytes])
    const start = head.subarray(0, preface.length)
    const isHttp2 = start.equals(preface.subarray(0, start.length))
    // Without enough bytes, puts nothing back, because the socket would report the same bytes again.
    if (isHttp2 && start.length < preface.length) return
    socket.off('readable', read)
    socket.off('end', destroy)
    socket.setTimeout(0)
    socket.unshift(head)
    found(isHttp2)
  }
  const destroy = () => socket.destroy()
  socket.setTimeout(timeoutMs, destroy)
  socket.on('end', destroy)
  socket.on('readable', read)
}
