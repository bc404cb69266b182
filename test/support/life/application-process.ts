import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { type Clock, createDispatcher, type Ledger } from '@scalekit-scim/core'
import type { RunOptions, SyncReport } from '@scalekit-scim/core/sync'
import type { ApplicationOptions, FromApplication, ToApplication } from './application.ts'
import { answer } from './remote-ledger.ts'

const program = fileURLToPath(new URL('./application.ts', import.meta.url))
const living = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

export interface ProcessOptions extends Omit<ApplicationOptions, 'skewMs'> {
  /** The clock offset of each start. */
  skewMs: () => number
  /** The clock of a ledger that outlives the application. */
  ledgerClock: Clock
}

/** An application process that is killed and restarted, and its files on disk. */
export class ApplicationProcess {
  readonly #options: ProcessOptions
  readonly #backupFile: string
  #ledger: Ledger
  #child: ChildProcess | undefined
  #port: number | undefined
  #starting: Promise<void> | undefined
  #reported: ((report: SyncReport | undefined) => void) | undefined
  starts = 0

  constructor(options: ProcessOptions) {
    this.#options = options
    this.#backupFile = `${options.databaseFile}.backup`
    this.#ledger = this.#newLedger()
  }

  /** The port of the application. Absent while the application is down. */
  get port(): number | undefined {
    return this.#port
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  /** Runs a pass. If the process is killed before the end of the pass, returns nothing. */
  async pass(run: RunOptions): Promise<SyncReport | undefined> {
    if (this.#port === undefined) return undefined
    const reported = new Promise<SyncReport | undefined>((resolve) => {
      this.#reported = resolve
    })
    this.#tell({ run })
    return reported
  }

  async kill(): Promise<void> {
    await this.#starting
    const child = this.#child
    if (!child) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  backUp(): void {
    rmSync(this.#backupFile, { force: true })
    const database = new DatabaseSync(this.#options.databaseFile)
    database.exec(`VACUUM INTO '${this.#backupFile}'`)
    database.close()
  }

  /** Restores the database while the application is down. */
  restore(): void {
    const { databaseFile } = this.#options
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${databaseFile}${suffix}`, { force: true })
    copyFileSync(this.#backupFile, databaseFile)
  }

  loseLedger(): void {
    this.#ledger = this.#newLedger()
  }

  async #start(): Promise<void> {
    const { skewMs, ledgerClock: _, ...options } = this.#options
    const settings: ApplicationOptions = { ...options, skewMs: skewMs() }
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, JSON.stringify(settings)],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    )
    living.add(child)
    this.#child = child
    this.starts++
    const listening = new Promise<void>((resolve, reject) => {
      child.on('message', (message: FromApplication) => {
        if ('ledger' in message) void this.#answer(child, message)
        else if ('report' in message) this.#reported?.(message.report)
        else {
          this.#port = message.port
          resolve()
        }
      })
      child.once('exit', () => {
        living.delete(child)
        this.#child = undefined
        this.#port = undefined
        this.#reported?.(undefined)
        reject(new Error('the application ended before it listened'))
      })
    })
    await listening
  }

  async #answer(
    child: ChildProcess,
    { ledger }: Extract<FromApplication, { ledger: unknown }>,
  ): Promise<void> {
    const answered: ToApplication = { ledger: await answer(this.#ledger, ledger) }
    if (child.connected) child.send(answered, () => {})
  }

  #tell(message: ToApplication): void {
    this.#child?.send(message, () => {})
  }

  #newLedger(): Ledger {
    const { ledgerClock: clock } = this.#options
    return createDispatcher({ store: 'memory', clock, logger: false, onEvent: () => {} }).ledger
  }
}
