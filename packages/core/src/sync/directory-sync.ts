import { callBack, type Instant, invalid, numberOption } from '@scalekit-scim/core/internal'
import { checkRunOptions, configureSync, type SyncConfiguration } from './configure.ts'
import { type DirectorySyncOptions, numbers, type RunOptions, type StopOptions } from './options.ts'
import { runPass } from './pass.ts'
import type { SyncReport } from './report.ts'
import { runByTimetable } from './schedule.ts'
import { endsWithin } from './waiting.ts'

/** After the grace, for handlers whose signal the dispatcher aborts then, and for the lease to be given back. */
const afterGraceMs = 1000

/** Brings what directories have and the application does not, or what it has and they do not, to its handlers. */
export interface DirectorySync extends AsyncDisposable {
  /**
   * One pass. What fails is in the report; only one pass runs at a time over all processes, and another is 'busy'.
   * @throws ConfigurationError when an option is wrong
   */
  run(options?: RunOptions): Promise<SyncReport>
  /**
   * Begins passes by the schedule, and keeps the process alive until `stop()`. Again: nothing.
   * @throws ConfigurationError where no `schedule` is given
   */
  start(): void
  /**
   * Begins no pass any more, and ends those that run: events that have begun may finish for `graceSeconds`, then they are
   * left behind. Beside `dispatcher.close()` with the same grace, which aborts their handlers' signals.
   */
  stop(options?: StopOptions): Promise<void>
}

/**
 * A sync of the application with its customers' directories, through the handlers of its webhooks.
 *
 * @throws ConfigurationError when an option is wrong
 * @example
 * const sync = createDirectorySync({ scalekit, dispatcher: scim.receiver, organizations: 'all', known })
 * console.log(formatReport(await sync.run({ dryRun: true })))
 */
export function createDirectorySync(options: DirectorySyncOptions): DirectorySync {
  return new ScheduledSync(configureSync(options))
}

class ScheduledSync implements DirectorySync {
  readonly #config: SyncConfiguration
  readonly #running = new Set<Promise<unknown>>()
  /** Each ends its pass's wait for events that have begun. */
  readonly #graces = new Set<AbortController>()
  #stopping = new AbortController()
  #started = false
  #firstPassAt: Instant | undefined

  constructor(config: SyncConfiguration) {
    this.#config = config
    const { guarantee } = config.dispatcher
    if (guarantee.message !== 'atomic') {
      config.log.warn(
        { guarantee: guarantee.message },
        "the sync runs on a ledger that other processes do not see, or cannot be kept from: a pass there and one here don't " +
          'know of each other, and neither of the webhooks that the other has applied. Give the dispatcher a shared `store`',
      )
    }
  }

  async run(options: RunOptions = {}): Promise<SyncReport> {
    checkRunOptions(options)
    return this.#tracked(this.#pass(options))
  }

  start(): void {
    const { timetable, clock, log } = this.#config
    if (!timetable) throw invalid('schedule', 'must be given where `start()` is called')
    if (this.#started) return
    this.#started = true
    const run = async () => void (await this.#pass({}))
    void this.#tracked(runByTimetable({ timetable, clock, log, run }, this.#stopping.signal))
  }

  async stop({ graceSeconds }: StopOptions = {}): Promise<void> {
    const { clock, log } = this.#config
    const graceMs = numberOption('graceSeconds', graceSeconds, numbers.graceSeconds) * 1000
    this.#stopping.abort(stopped())
    this.#stopping = new AbortController()
    this.#started = false

    const graces = [...this.#graces]
    const ended = Promise.allSettled(this.#running)
    if (await endsWithin(clock, ended, graceMs + afterGraceMs)) return
    log.warn(
      {},
      'stopping before every event of the sync has ended: those whose handlers still run are left behind',
    )
    for (const grace of graces) grace.abort(stopped())
    await endsWithin(clock, ended, afterGraceMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #pass(options: RunOptions): Promise<SyncReport> {
    const stopping = this.#stopping.signal
    const grace = new AbortController()
    this.#graces.add(grace)
    const report = await runPass(this.#config, {
      ...options,
      signal: options.signal ? AbortSignal.any([options.signal, stopping]) : stopping,
      graceOver: grace.signal,
      firstPassAt: (now) => {
        this.#firstPassAt ??= now
        return this.#firstPassAt
      },
    })
    this.#graces.delete(grace)
    this.#log(report)
    callBack(this.#config.onReport, report)
    return report
  }

  #log({ organizations: _, error, totals, ...report }: SyncReport): void {
    const fields = { ...report, ...totals, ...(error ? { error } : {}) }
    if (error && report.outcome === 'incomplete') {
      this.#config.log.error(fields, 'a pass of the sync ended early; the next one goes on')
    } else if (report.outcome !== 'busy') this.#config.log.info(fields, 'a pass of the sync has ended')
  }

  #tracked<Result>(running: Promise<Result>): Promise<Result> {
    this.#running.add(running)
    const ended = () => void this.#running.delete(running)
    running.then(ended, ended)
    return running
  }
}

function stopped(): DOMException {
  return new DOMException('scalekit-scim: the sync was stopped', 'AbortError')
}
