import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, omitUndefined } from '@scalekit-scim/core/internal'
import type { Attempt, AttemptResponse } from './messages.ts'

export interface OutgoingRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: Buffer
  /** Whether to end the connection after the body, although `content-length` is higher. */
  isCut: boolean
  /** The time for sending the body in pieces. At 0, the client sends the whole body in one piece. */
  overMs: number
}

const maxLoggedResponseBytes = 65_536

/**
 * The time after which the client closes an idle connection. If the client waited longer than servers (5 s in Node), a
 * request could use a connection that the server is closing.
 */
const idleConnectionMs = 1000

const pieceIntervalMs = 100

/** Sends single requests. Does not follow redirects. */
export class WebhookClient {
  readonly #deadlineMs: number
  readonly #http: http.Agent
  readonly #https: https.Agent

  /**
   * @param deadlineMs The time limit for the whole answer, in real time
   * @param certificateAuthority A certificate authority (PEM), in addition to the usual authorities
   */
  constructor(deadlineMs: number, certificateAuthority: string | undefined) {
    this.#deadlineMs = deadlineMs
    const agentOptions = { keepAlive: true, timeout: idleConnectionMs }
    this.#http = new http.Agent(agentOptions)
    this.#https = new https.Agent({ ...agentOptions, ...omitUndefined({ ca: certificateAuthority }) })
  }

  /** Sends one request. Never rejects. */
  async send(outgoing: OutgoingRequest) {
    const { url, headers } = outgoing
    const startedMs = performance.now()
    const signal = AbortSignal.timeout(this.#deadlineMs)
    const options = { method: 'POST', headers, signal }
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, agent: this.#https })
      : http.request(url, { ...options, agent: this.#http })
    // Ignores errors after the answer. Earlier errors reject `responseTo`.
    request.on('error', () => {})
    // A response with status 101 closes the request without an answer and without an error.
    request.once('close', () => request.emit('error', new Error('the connection closed without an answer')))
    void writeBody(request, outgoing)
    let outcome: Pick<Attempt, 'response' | 'error'>
    try {
      outcome = { response: await responseTo(request, signal) }
    } catch (error) {
      outcome = { error: signal.aborted ? `no answer within ${this.#deadlineMs / 1000} s` : describe(error) }
    }
    if (!request.writableEnded || outcome.error !== undefined) request.destroy()
    return { ...outcome, timedOut: signal.aborted, durationMs: performance.now() - startedMs }
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}

/** Sends the body in one piece or in several pieces. */
async function writeBody(
  request: http.ClientRequest,
  { headers, body, isCut, overMs }: OutgoingRequest,
): Promise<void> {
  if (!isCut && overMs === 0) {
    request.end(body)
    return
  }
  // Even if the body is empty, sends the headers.
  request.flushHeaders()
  const pauses = Math.min(Math.ceil(overMs / pieceIntervalMs), body.length)
  const pieceBytes = Math.ceil(body.length / (pauses + 1))
  for (let at = 0; at < body.length; at += pieceBytes) {
    if (at > 0) await sleep(overMs / pauses, undefined, { ref: false })
    // The server can answer before the end of the body.
    if (request.destroyed) return
    request.write(body.subarray(at, at + pieceBytes))
  }
  const cut = new Error(`cut after ${body.length} of ${headers['content-length']} bytes`)
  if (isCut) request.write('', () => request.destroy(cut))
  else request.end()
}

async function responseTo(request: http.ClientRequest, signal: AbortSignal): Promise<AttemptResponse> {
  const response: http.IncomingMessage = (await once(request, 'response', { signal }))[0]
  const chunks: Buffer[] = []
  let loggedBytes = 0
  for await (const chunk of response) {
    const logged = chunk.subarray(0, maxLoggedResponseBytes - loggedBytes)
    loggedBytes += logged.length
    if (logged.length > 0) chunks.push(logged)
  }
  const fields = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
  const body = Buffer.concat(chunks).toString()
  return { status: response.statusCode ?? 0, headers: Object.fromEntries(fields), body }
}

/** If Node tried several addresses, its error has a code, but not a message. */
function describe(error: unknown): string {
  return error instanceof Error && error.message !== '' ? error.message : String(errorCode(error))
}
