import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { percentile } from '../measure.ts'
import { type Delivery, deliveries } from './deliveries.ts'
import { sendWithAutocannon } from './load.ts'
import { sendPaced } from './paced.ts'
import type { Usage } from './server.ts'
import { sendWithWrk, wrkVersion } from './wrk.ts'

const connections = 32
const wrk = await wrkVersion()

/** The program that sends the load, for the notes of a table. */
export const sender = wrk === undefined ? 'autocannon' : `wrk ${wrk}`

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
  /** More than the server answers in a second, so that the signed deliveries suffice. */
  #expectedPerSecond = 30_000
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
   * Sends signed deliveries over 32 connections for the given time. Each connection sends its next request as soon as
   * it has an answer.
   * @throws Error if the server does not accept each delivery
   */
  async take(seconds: number, { hot = false } = {}): Promise<Turn> {
    const deliveries = this.#sign(Math.ceil(this.#expectedPerSecond * seconds), hot)
    const send = wrk === undefined ? sendWithAutocannon : sendWithWrk
    const before = await this.usage()
    const { requests, tookMs, ...latencies } = await send(this.#port, deliveries, connections, seconds)
    const { cpuMs } = await this.usage()
    this.requests += requests
    const perSecond = (requests * 1000) / tookMs
    this.#expectedPerSecond = Math.max(500, perSecond) * 3
    return { cpuMicros: ((cpuMs - before.cpuMs) * 1000) / requests, perSecond, ...latencies }
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
