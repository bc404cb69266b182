import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { StoreAddress } from '../chaos/adapter.ts'
import type { DriverFaultName } from './driver-faults.ts'
import type { Operation } from './operations.ts'

export interface LedgerProcessOptions {
  name: string
  store: StoreAddress
  namespace: string
  schema: string
}

/** The calls of one process on one resource. */
export interface Job {
  resource: string
  seed: number
  operations: number
}

export type FromLedgerProcess = 'ready' | { resource: string; operations: Operation[] }

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const sources = fileOf('../docs/source-imports.mjs')
const faultySources = fileOf('faulty-sources.ts')
const program = fileOf('ledger-process.ts')

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A process that opens the ledger from the sources, as an application does. */
export class LedgerProcess {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #jobs = new Map<string, PromiseWithResolvers<Operation[]>>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #exited: Promise<unknown>

  private constructor(options: LedgerProcessOptions, fault: DriverFaultName | undefined) {
    this.#name = options.name
    const preloaded = fault === undefined ? [sources] : [sources, faultySources]
    this.#child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        ...preloaded.flatMap((file) => ['--import', file]),
        program,
        JSON.stringify(options),
      ],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, LEDGER_FAULT: fault ?? '' } },
    )
    running.add(this.#child)
    this.#child.on('message', (message: FromLedgerProcess) => this.#receive(message))
    this.#exited = once(this.#child, 'exit').then(() => this.#afterExit())
  }

  static async start(options: LedgerProcessOptions, fault?: DriverFaultName): Promise<LedgerProcess> {
    const started = new LedgerProcess(options, fault)
    await started.#ready.promise
    return started
  }

  run(job: Job): Promise<Operation[]> {
    const done = Promise.withResolvers<Operation[]>()
    this.#jobs.set(job.resource, done)
    this.#child.send(job)
    return done.promise
  }

  /** Stops the whole process for a while. A shell does it, so that the process continues even if this one exits. */
  async stall(ms: number): Promise<void> {
    const { pid } = this.#child
    await once(spawn('sh', ['-c', `kill -STOP ${pid}; sleep ${ms / 1000}; kill -CONT ${pid}`]), 'exit')
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #receive(message: FromLedgerProcess): void {
    if (message === 'ready') {
      this.#ready.resolve()
      return
    }
    this.#jobs.get(message.resource)?.resolve(message.operations)
    this.#jobs.delete(message.resource)
  }

  #afterExit(): void {
    running.delete(this.#child)
    const error = new Error(`${this.#name} exited before it finished`)
    this.#ready.reject(error)
    for (const { reject } of this.#jobs.values()) reject(error)
  }
}
