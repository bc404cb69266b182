import * as http from 'node:http'
import * as https from 'node:https'
import { writeBody } from './body-writing.ts'
import type { AttemptResponse } from './messages.ts'

export interface SenderOptions {
  /** In real time, for the whole answer. */
  deadlineMs: number
  /** PEM: what endpoints with certificates of their own are trusted by, beside the usual authorities. */
  certificateAuthority?: string
}

export interface Outgoing {
  url: string
  headers: Readonly<Record<string, string>>
  body: Buffer
  /** The connection is cut when so much of the body was sent. */
  cutAfterBytes?: number | undefined
  /** The body comes piece by piece over this time. */
  overMs?: number | undefined
}

export interface Answer {
  response?: AttemptResponse
  error?: string
  timedOut: boolean
  durationMs: number
}

const keptResponseBytes = 65_536

/** Below what servers keep idle connections for (Node 5 s): who reuses one that is just being closed sees a reset. */
const idleConnectionMs = 1000

/** Sends single requests, and says what came of each. Redirects are answers like others: none is followed. */
export class Sender {
  readonly #deadlineMs: number
  readonly #http: http.Agent
  readonly #https: https.Agent

  constructor({ deadlineMs, certificateAuthority }: SenderOptions) {
    this.#deadlineMs = deadlineMs
    const agentOptions = { keepAlive: true, timeout: idleConnectionMs }
    this.#http = new http.Agent(agentOptions)
    this.#https = new https.Agent({
      ...agentOptions,
      ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
    })
  }

  /** Never rejects. */
  send(outgoing: Outgoing): Promise<Answer> {
    const startedMs = performance.now()
    return new Promise((resolve) => {
      const request = this.#open(outgoing)
      const stopWriting = new AbortController()
      const end = (outcome: { response?: AttemptResponse; error?: string; timedOut?: boolean }) => {
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

  #open({ url, headers }: Outgoing): http.ClientRequest {
    const options = { method: 'POST', headers }
    return url.startsWith('https:')
      ? https.request(url, { ...options, agent: this.#https })
      : http.request(url, { ...options, agent: this.#http })
  }
}

function readResponse(
  response: http.IncomingMessage,
  end: (outcome: { response?: AttemptResponse; error?: string }) => void,
): void {
  const chunks: Buffer[] = []
  let keptBytes = 0
  response.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, keptResponseBytes - keptBytes)
    keptBytes += kept.length
    if (kept.length > 0) chunks.push(kept)
  })
  response.on('error', (error) => end({ error: describe(error) }))
  response.on('end', () => {
    const fields = Object.entries(response.headers).map(([name, value]) => [name, String(value)])
    const body = Buffer.concat(chunks).toString()
    end({ response: { status: response.statusCode ?? 0, headers: Object.fromEntries(fields), body } })
  })
}

/** Where several addresses were tried, Node's error has a code and no message. */
function describe(error: Error): string {
  return error.message || ('code' in error ? String(error.code) : error.name)
}
