import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { shownAddress } from './endpoint.ts'
import { codeOf, noConnection } from './failures.ts'
import { printable } from './terminal.ts'

/** The time for which Scalekit waits for an answer. */
const deadlineMs = 10_000
/** The size of the slices of a sent body. Between two slices, the command reads an early answer. */
const sliceBytes = 65_536
/** After the first slice, a server has this time to refuse the body because of its length. */
const earlyAnswerMs = 250
/** The largest stored part of an answer's body, in bytes. */
const keptBytes = 65_536

export interface Request {
  method: string
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}

export interface Answer {
  kind: 'answer'
  status: number
  headers: Readonly<Record<string, string>>
  body: string
  durationMs: number
}

interface NoAnswer {
  kind: 'no-answer'
  /** The connection was refused, the answer was late, the connection was cut, or the answer is not HTTP. */
  reason: 'no-connection' | 'late' | 'cut' | 'no-http'
  detail: string
  durationMs: number
  status?: never
  headers?: never
}

export type Exchange = Answer | NoAnswer

interface Options {
  signal?: AbortSignal | undefined
  /** If `true`, uses a connection of Node's global agent. @default a new connection */
  keepAlive?: boolean
}

/**
 * Sends one request byte for byte. Does not follow redirects. Adds only the headers Host, Content-Length and
 * Connection. Never rejects.
 */
export async function exchange(
  url: URL,
  { method, headers, body }: Request,
  { signal, keepAlive = false }: Options = {},
): Promise<Exchange> {
  const startedAtMs = performance.now()
  const elapsedMs = () => Math.round(performance.now() - startedAtMs)
  const isSecure = url.protocol === 'https:'
  const length = body.byteLength > 0 || method === 'POST' ? { 'content-length': body.byteLength } : {}
  const deadline = AbortSignal.timeout(deadlineMs)
  const answered = new AbortController()
  const request = (isSecure ? httpsRequest : httpRequest)(url, {
    method,
    headers: { ...headers, ...length },
    agent: keepAlive ? undefined : false,
    signal: AbortSignal.any([deadline, ...(signal ? [signal] : [])]),
  })
  let isConnected = false
  request.on('socket', (socket) => {
    isConnected = request.reusedSocket
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      isConnected = true
    })
  })
  request.once('response', () => answered.abort())
  // Without a listener for `upgrade`, Node silently closes such a connection.
  request.once('upgrade', (_response, socket) => {
    socket.destroy()
    request.emit('error', new Error('101 Switching Protocols'))
  })
  // The first error rejects the promise below. Later errors change nothing, because the answer has already arrived.
  request.on('error', () => {})
  try {
    void write(request, body, answered.signal).catch(() => {})
    const response: IncomingMessage = (await once(request, 'response'))[0]
    const { socket } = response
    const answer = await readAnswer(response)
    if (!keepAlive || !keepsConnection(response) || !request.writableEnded) socket.destroy()
    return { kind: 'answer', ...answer, durationMs: elapsedMs() }
  } catch (error) {
    const failure = deadline.aborted
      ? { reason: 'late' as const, detail: `no answer within ${deadlineMs / 1000} s` }
      : failureOf(error, isConnected, signal)
    return { kind: 'no-answer', ...failure, durationMs: elapsedMs() }
  }
}

/** Like {@link exchange}, but a failed connection rejects. @throws Failure */
export async function exchangeOrFail(url: URL, request: Request, options?: Options): Promise<Exchange> {
  const outcome = await exchange(url, request, options)
  if (outcome.kind === 'no-answer' && outcome.reason === 'no-connection') {
    throw noConnection(shownAddress(url), outcome.detail)
  }
  return outcome
}

/** Scalekit counts 200 and 201 as delivered. After any other answer, Scalekit sends the event again. */
export function isDelivered({ status }: { status?: number }): boolean {
  return status === 200 || status === 201
}

/** Returns the outcome, which only our own middleware reports. */
export function outcomeHeader({ headers }: Pick<Exchange, 'headers'>): string | undefined {
  return headers?.['scalekit-scim-outcome']
}

/** Formats an answer: `400` or `201 duplicate`. */
export function shownAnswer(answer: Pick<Answer, 'status' | 'headers'>): string {
  return printable([answer.status, outcomeHeader(answer)].filter(Boolean).join(' '))
}

/**
 * Returns whether the answer has `Connection: keep-alive`. Without a header, HTTP/1.1 does not close a connection.
 * However, some servers close such a connection immediately, which would cut off the next request.
 */
function keepsConnection({ headers }: IncomingMessage): boolean {
  return /\bkeep-alive\b/i.test(headers.connection ?? '')
}

async function readAnswer(response: IncomingMessage): Promise<Omit<Answer, 'kind' | 'durationMs'>> {
  const chunks: Buffer[] = []
  let keptLength = 0
  for await (const chunk of response) {
    if (keptLength < keptBytes) chunks.push(chunk)
    keptLength += chunk.length
  }
  const headers = Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')])
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).subarray(0, keptBytes).toString(),
  }
}

/**
 * Writes the body until an answer arrives. A server that refuses a body because of its length resets the
 * connection after the answer. Further writes would hide the answer.
 */
async function write(request: ClientRequest, body: Uint8Array, answered: AbortSignal): Promise<void> {
  for (let offset = 0; offset < body.byteLength; offset += sliceBytes) {
    if (offset === sliceBytes) await sleep(earlyAnswerMs, undefined, { ref: false, signal: answered })
    else if (offset > 0) await setImmediate()
    if (answered.aborted || request.destroyed) return
    const slice = body.subarray(offset, offset + sliceBytes)
    if (!request.write(slice)) await once(request, 'drain', { signal: answered })
  }
  if (!answered.aborted) request.end()
}

function failureOf(error: unknown, isConnected: boolean, signal: AbortSignal | undefined) {
  if (signal?.aborted) return { reason: 'cut' as const, detail: 'interrupted' }
  // Only errors of Node's HTTP parser have a packet.
  if (error instanceof Error && 'rawPacket' in error && Buffer.isBuffer(error.rawPacket)) {
    return { reason: 'no-http' as const, detail: beginningOf(error.rawPacket, error.message) }
  }
  return { reason: isConnected ? ('cut' as const) : ('no-connection' as const), detail: codeOf(error) }
}

/** Returns the first line, which usually identifies the server: `220 mail.example ESMTP`. */
function beginningOf(packet: Buffer, problem: string): string {
  const [line = ''] = packet.subarray(0, 60).toString().split(/\r?\n/)
  return line.startsWith('HTTP/')
    ? `broken HTTP (${problem})`
    : `not HTTP, but ${JSON.stringify(printable(line))}`
}
