import { createServer as createHttp1, type RequestListener } from 'node:http'
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
  /** How long a client has to say what it wants: the first bytes, and then all headers of a request. @default 10 000 */
  patienceMs?: number
}

export interface Answers {
  http1: RequestListener
  http2: Http2Listener
}

export interface Port {
  readonly url: string
  /** To be called before anything is awaited: until then nobody is answered. */
  answer(answers: Answers): void
  /** The TCP connection below an HTTP/2 session, which Node's own session gives no hold of. */
  socketOf(session: Http2Session | undefined): Socket | undefined
  /** Takes no more; what is being answered has `graceMs`, then every connection is ended. */
  close(graceMs?: number): Promise<void>
}

/** What an HTTP/2 client says first, without TLS and without being asked (RFC 9113, 3.4). */
const preface = Buffer.from('PRI')

/** What to do about the code that Node gives. */
export const portHints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is taken. Choose another one, or 0 for any that is free',
  EACCES: 'ports below 1024 need a right of their own. Choose one from 1024 on',
  EADDRNOTAVAIL: 'the host is no address of this machine. Choose 127.0.0.1, or 0.0.0.0 for all that it has',
  ENOTFOUND:
    'the name of the host is not known. Choose 127.0.0.1, or 0.0.0.0 for all addresses of this machine',
}

/** Nobody can listen there. */
export class PortError extends Error {
  override readonly name = 'PortError'
  /** Node's own: EADDRINUSE, EACCES, … */
  readonly code: string | undefined

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    const { code = 'no code' } = cause
    const hint = portHints[code] ?? 'choose another one'
    super(`Port ${port} of ${host} cannot be listened on (${code}): ${hint}.`, { cause })
    this.code = cause.code
  }
}

/** One TCP port for both: gRPC needs HTTP/2, everything else comes over HTTP/1.1. */
export async function openPort({ host, port, patienceMs = 10_000 }: PortOptions): Promise<Port> {
  const sockets = new Set<Socket>()
  const socketBySession = new WeakMap<Http2Session, Socket>()
  const answering = new Activity()
  const track = (response: { once(event: 'close', listener: () => void): unknown }) => {
    void answering.track(new Promise<void>((resolve) => response.once('close', resolve)))
  }
  // It listens for both, for only a server that listens looks after clients that dawdle.
  const first = createHttp1(
    { headersTimeout: patienceMs, connectionsCheckingInterval: patienceMs / 10 },
    (_request, response) => track(response),
  )
  const second = createHttp2((_request, response) => track(response))
  const sessions = new Set<Http2Session>()
  second.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  const takeHttp1 = first.listeners('connection')
  first.removeAllListeners('connection').on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // A peer that goes away in the middle of anything is no failure of ours.
    socket.on('error', () => socket.destroy())
    onFirstBytes(socket, patienceMs, (isHttp2) => {
      if (!isHttp2) {
        for (const take of takeHttp1) take.call(first, socket)
        return
      }
      // Only HTTP/1.1 may have more to say to a client that has said all.
      socket.allowHalfOpen = false
      second.once('session', (session) => socketBySession.set(session, socket))
      second.emit('connection', socket)
    })
  })

  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error) => reject(new PortError(host, port, error))
    first.once('error', refuse).listen(port, host, () => {
      first.off('error', refuse)
      resolve()
    })
  })
  const address = first.address()
  const boundPort = typeof address === 'object' && address ? address.port : port

  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    answer({ http1, http2 }) {
      first.on('request', http1)
      second.on('request', http2)
    },
    socketOf: (session) => session && socketBySession.get(session),
    async close(graceMs = 1000) {
      const closed = new Promise<void>((resolve) => first.close(() => resolve()))
      for (const session of sessions) session.close()
      await Promise.race([answering.idle(), sleep(graceMs, undefined, { ref: false })])
      for (const session of sessions) session.destroy()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Tells by the first bytes what the client speaks, and leaves them to be read again. */
function onFirstBytes(socket: Socket, patienceMs: number, tell: (isHttp2: boolean) => void): void {
  let head = Buffer.alloc(0)
  const look = () => {
    const bytes: Buffer | null = socket.read()
    if (!bytes) return
    head = Buffer.concat([head, bytes])
    const seen = head.subarray(0, preface.length)
    const isHttp2 = seen.equals(preface.subarray(0, seen.length))
    // Given back only when they suffice: what is given back is told at once as new.
    if (isHttp2 && seen.length < preface.length) return
    socket.off('readable', look)
    socket.off('end', leave)
    socket.setTimeout(0)
    socket.unshift(head)
    tell(isHttp2)
  }
  const leave = () => socket.destroy()
  socket.setTimeout(patienceMs, leave)
  socket.on('end', leave)
  socket.on('readable', look)
}
