import { once } from 'node:events'
import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { shownAddress } from './endpoint.ts'
import { noConnection } from './failures.ts'
import { printable } from './terminal.ts'

/** How long Scalekit waits for an answer. */
export const deadlineMs = 10_000
/** A body goes out in slices of this, so that an answer in the middle of it is heard. */
const sliceBytes = 65_536
/** Of an answer's body no more than this is kept. */
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

export interface NoAnswer {
  kind: 'no-answer'
  /** Nobody listens there, nothing came in time, the connection ended without an answer, or what came is no HTTP. */
  reason: 'no-connection' | 'late' | 'cut' | 'no-http'
  detail: string
  durationMs: number
}

export type Exchange = Answer | NoAnswer

export interface ExchangeOptions {
  signal?: AbortSignal | undefined
  /** Whose connections are used again. @default a connection of its own */
  agent?: Agent | undefined
}

/**
 * One request, byte for byte: no redirect is followed and no header added but Host, Content-Length and Connection.
 * Never rejects.
 */
export function exchange(
  url: URL,
  { method, headers, body }: Request,
  { signal, agent }: ExchangeOptions = {},
): Promise<Exchange> {
  const startedAtMs = performance.now()
  const elapsedMs = () => Math.round(performance.now() - startedAtMs)
  return new Promise((resolve) => {
    let isConnected = false
    let socket: Socket | undefined
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const length = body.byteLength > 0 || method === 'POST' ? { 'content-length': body.byteLength } : {}
    const request = send(url, { method, headers: { ...headers, ...length }, agent: agent ?? false })
    const settled = new AbortController()

    const end = (outcome: Exchange) => {
      settled.abort()
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      resolve(outcome)
      request.destroy()
      if (!agent || !isKept(outcome)) socket?.destroy()
    }
    const fail = (reason: NoAnswer['reason'], detail: string) =>
      end({ kind: 'no-answer', reason, detail, durationMs: elapsedMs() })
    const onAbort = () => fail('cut', 'interrupted')
    const timer = setTimeout(() => fail('late', `nothing within ${deadlineMs / 1000} s`), deadlineMs)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort)

    request.on('socket', (given) => {
      socket = given
      isConnected = request.reusedSocket
      if (isConnected) return
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        isConnected = true
      })
    })
    request.on('error', (error) => {
      if (isUnreadable(error)) fail('no-http', seenIn(error))
      else fail(isConnected ? 'cut' : 'no-connection', codeOf(error))
    })
    request.on('response', (response) => {
      void answerOf(response, elapsedMs).then(end, (error) => fail('cut', codeOf(error)))
    })
    void write(request, body, settled.signal).catch(() => {
      // What became of the connection is told by the request's own events.
    })
  })
}

/** As {@link exchange}, for those who have nothing to say where nobody listens. @throws Failure */
export async function exchangeOrFail(url: URL, request: Request, agent?: Agent): Promise<Exchange> {
  const outcome = await exchange(url, request, { agent })
  if (outcome.kind === 'no-answer' && outcome.reason === 'no-connection') {
    throw noConnection(shownAddress(url), outcome.detail)
  }
  return outcome
}

export function isDelivered(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && isDeliveredStatus(outcome.status)
}

/** Scalekit counts these two as delivered, and sends everything else again. */
export function isDeliveredStatus(status: number | undefined): boolean {
  return status === 200 || status === 201
}

/** What our own middleware says of an attempt. */
export function outcomeHeader(outcome: Exchange): string | undefined {
  return outcome.kind === 'answer' ? outcome.headers['scalekit-scim-outcome'] : undefined
}

/**
 * Whether the server has said that it keeps the connection. HTTP/1.1 lets it keep silent too, but some that do hang up
 * at once, and a request on such a connection would look like one that was cut.
 */
function isKept(outcome: Exchange): boolean {
  return outcome.kind === 'answer' && /\bkeep-alive\b/i.test(outcome.headers.connection ?? '')
}

async function answerOf(response: IncomingMessage, elapsedMs: () => number): Promise<Answer> {
  const chunks: Buffer[] = []
  let keptLength = 0
  for await (const chunk of response) {
    if (keptLength < keptBytes) chunks.push(chunk)
    keptLength += chunk.length
  }
  return {
    kind: 'answer',
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    ),
    body: Buffer.concat(chunks).subarray(0, keptBytes).toString(),
    durationMs: elapsedMs(),
  }
}

/** Stops at an answer: what is refused by its length need not be sent to its end, and a reset would hide the answer. */
async function write(request: ClientRequest, body: Uint8Array, settled: AbortSignal): Promise<void> {
  let isAnswered = false
  request.once('response', () => {
    isAnswered = true
  })
  for (let offset = 0; offset < body.byteLength && !isAnswered; offset += sliceBytes) {
    if (settled.aborted) return
    if (offset > 0) await setImmediate()
    const slice = body.subarray(offset, offset + sliceBytes)
    if (!request.write(slice)) await once(request, 'drain', { signal: settled })
  }
  if (!isAnswered) request.end()
}

/** Short, and without an address: several are tried for one name, and then the message is empty. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

interface UnreadableAnswer extends Error {
  rawPacket: Buffer
}

/** Node's parser of HTTP has given up. */
function isUnreadable(error: Error): error is UnreadableAnswer {
  return 'rawPacket' in error && Buffer.isBuffer(error.rawPacket)
}

/** Its beginning tells most: `220 mail.example ESMTP`, say. */
function seenIn(error: UnreadableAnswer): string {
  const [line = ''] = error.rawPacket.subarray(0, 60).toString().split(/\r?\n/)
  return line.startsWith('HTTP/')
    ? `broken HTTP (${error.message})`
    : `no HTTP, but ${JSON.stringify(printable(line))}`
}
