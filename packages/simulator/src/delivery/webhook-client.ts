import * as http from 'node:http'
import * as https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { omitUndefined } from '@scalekit-scim/core/internal'
import type { AttemptResponse } from './messages.ts'

export interface OutgoingRequest {
  url: string
  headers: Readonly<Record<string, string>>
  body: Buffer
  /** The connection is cut after this number of bytes of the body. */
  cutAfterBytes?: number | undefined
  /** The body is sent piece by piece over this time. */
  overMs?: number | undefined
}

export interface Answer {
  response?: AttemptResponse
  error?: string
  timedOut: boolean
  durationMs: number
}

type Outcome = Partial<Omit<Answer, 'durationMs'>>

const maxLoggedResponseBytes = 65_536

/**
 * How long an idle connection is kept. Servers keep idle connections longer (5 s in Node). A request would fail if the
 * server were closing its connection.
 */
const idleConnectionMs = 1000

const pieceIntervalMs = 100

/** Sends single requests. Does not follow redirects, because a redirect is an answer like any other. */
export class WebhookClient {
  readonly #deadlineMs: number
  readonly #http: http.Agent
  readonly #https: https.Agent

  /**
   * @param deadlineMs The time limit for the whole answer, in real time
   * @param certificateAuthority An authority (PEM) that is trusted in addition to the usual authorities
   */
  constructor(deadlineMs: number, certificateAuthority: string | undefined) {
    this.#deadlineMs = deadlineMs
    const agentOptions = { keepAlive: true, timeout: idleConnectionMs }
    this.#http = new http.Agent(agentOptions)
    this.#https = new https.Agent({ ...agentOptions, ...omitUndefined({ ca: certificateAuthority }) })
  }

  /** Sends one request. Never rejects. */
  send(outgoing: OutgoingRequest): Promise<Answer> {
    const startedMs = performance.now()
    return new Promise((resolve) => {
      const request = this.#open(outgoing)
      const stopWriting = new AbortController()
      const end = (outcome: Outcome) => {
        clearTimeout(timer)
        stopWriting.abort()
        if (!request.writableEnded || outcome.error !== undefined) request.destroy()
        resolve({ timedOut: false, ...outcome, durationMs: performance.now() - startedMs })
      }
      const timer = setTimeout(
        () => end({ timedOut: true, error: `no answer within ${this.#deadlineMs / 1000} s` }),
        this.#deadlineMs,
      )
      request.on('response', (response) => readResponse(response, end))
      request.on('error', (error) => end({ error: describe(error) }))
      request.on('close', () => end({ error: 'the connection was closed without an answer' }))
      void writeBody(request, outgoing, stopWriting.signal).then((wasCut) => {
        if (wasCut) end({ error: `cut after ${outgoing.cutAfterBytes} of ${outgoing.body.length} bytes` })
      })
    })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #open({ url, headers }: OutgoingRequest): http.ClientRequest {
    const options = { method: 'POST', headers }
    return url.startsWith('https:')
      ? https.request(url, { ...options, agent: this.#https })
      : http.request(url, { ...options, agent: this.#http })
  }
}

/** Sends the body at once or piece by piece. Returns whether the body was cut short as requested. */
async function writeBody(
  request: http.ClientRequest,
  { body, cutAfterBytes, overMs = 0 }: OutgoingRequest,
  signal: AbortSignal,
): Promise<boolean> {
  if (cutAfterBytes === undefined && overMs === 0) {
    request.end(body)
    return false
  }
  // The headers must be sent even if no byte of the body follows.
  request.flushHeaders()
  await writePieces(request, body.subarray(0, cutAfterBytes), overMs, signal)
  if (signal.aborted) return false
  if (cutAfterBytes !== undefined) {
    return new Promise((resolve) => request.write('', (error) => resolve(!error)))
  }
  request.end()
  return false
}

async function writePieces(
  request: http.ClientRequest,
  body: Buffer,
  overMs: number,
  signal: AbortSignal,
): Promise<void> {
  const pauses = Math.min(Math.ceil(overMs / pieceIntervalMs), body.length)
  const pieceBytes = Math.ceil(body.length / (pauses + 1))
  for (let at = 0; at < body.length; at += pieceBytes) {
    if (at > 0) await sleep(overMs / pauses, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    request.write(body.subarray(at, at + pieceBytes))
  }
}

function readResponse(response: http.IncomingMessage, end: (outcome: Outcome) => void): void {
  const chunks: Buffer[] = []
  let loggedBytes = 0
  response.on('data', (chunk: Buffer) => {
    const logged = chunk.subarray(0, maxLoggedResponseBytes - loggedBytes)
    loggedBytes += logged.length
    if (logged.length > 0) chunks.push(logged)
  })
  response.on('error', (error) => end({ error: describe(error) }))
  response.on('end', () => {
    const fields = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
    const body = Buffer.concat(chunks).toString()
    end({ response: { status: response.statusCode ?? 0, headers: Object.fromEntries(fields), body } })
  })
}

/** If Node tried several addresses, its error has a code but no message. */
function describe(error: Error): string {
  return error.message || ('code' in error ? String(error.code) : error.name)
}
