import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { percentile } from '../measure.ts'
import { path } from './baselines.ts'
import { type Delivery, deliveries } from './deliveries.ts'
import { sendPaced } from './paced.ts'
import type { Usage } from './server.ts'

const connections = 32

/** The cost and the speed of one turn of a server. */
export interface Turn {
  /** CPU time of the server's process for each request. */
  cpuMicros: number
  perSecond: number
  p50Ms: number
  p99Ms: number
}

let turns = 0

/** A server in a process of its own, with the load for it. */
export class Subject {
  readonly name: string
  readonly #child: ChildProcess
  readonly #port: number
  /** The number of requests that the server has answered. */
  requests = 0

  private constructor(name: string, child: ChildProcess, port: number) {
    this.name = name
    this.#child = child
    this.#port = port
  }

  static async start(name: string): Promise<Subject> {
    const child = fork(new URL('server.ts', import.meta.url), [name], {
      env: { ...process.env, NODE_ENV: 'production' },
    })
    const [port] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])])
    if (typeof port !== 'number') throw new Error(`the server '${name}' did not start`)
    return new Subject(name, child, port)
  }

  /**
   * Sends signed deliveries over 32 connections. Each connection sends its next request as soon as it has an answer.
   * @throws Error if the server does not accept each delivery
   */
  async take(count: number, { hot = false } = {}): Promise<Turn> {
    // autocannon prepares one request for each connection ahead.
    const queue = this.#sign(count + 2 * connections, hot)
    const before = await this.usage()
    const { latencies, tookMs } = await send(this.#port, queue, count)
    const { cpuMs } = await this.usage()
    this.requests += count
    return {
      cpuMicros: ((cpuMs - before.cpuMs) * 1000) / count,
      perSecond: (count * 1000) / tookMs,
      p50Ms: percentile(latencies, 50),
      p99Ms: percentile(latencies, 99),
    }
  }

  /** Sends signed deliveries at a fixed rate. Returns the 99th percentile of the latencies in milliseconds. */
  async p99Ms(count: number, perSecond: number): Promise<number> {
    const latencies = await sendPaced(this.#port, this.#sign(count, false), perSecond)
    this.requests += count
    return percentile(latencies, 99)
  }

  async usage(): Promise<Usage> {
    this.#child.send('usage')
    const [usage] = await once(this.#child, 'message')
    return usage
  }

  end(): void {
    this.#child.disconnect()
  }

  #sign(count: number, hot: boolean): Delivery[] {
    return [...deliveries(`${process.pid}_${turns++}`, count, hot)]
  }
}

interface Sent {
  latencies: number[]
  /** The time until the last response. autocannon itself ends up to a second later. */
  tookMs: number
}

function send(port: number, queue: readonly Delivery[], count: number): Promise<Sent> {
  const latencies: number[] = []
  let sent = 0
  const from = performance.now()
  let tookMs = 0
  return new Promise((resolve, reject) => {
    const load = autocannon(
      {
        url: `http://127.0.0.1:${port}${path}`,
        method: 'POST',
        connections,
        amount: count,
        timeout: 20,
        requests: [{ setupRequest: (request) => ({ ...request, ...queue[sent++] }) }],
      },
      (error, { '2xx': accepted }) => {
        if (error) reject(error)
        else if (accepted !== count) reject(new Error(`${accepted} of ${count} deliveries were accepted`))
        else resolve({ latencies, tookMs })
      },
    )
    load.on('response', (_client, _status, _bytes, responseMs) => {
      latencies.push(responseMs)
      tookMs = performance.now() - from
    })
  })
}
