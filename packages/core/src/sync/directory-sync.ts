import {
  awaited,
  callBack,
  type Instant,
  invalid,
  longestDelayMs,
  numberOption,
  timedOut,
  within,
} from '@scalekit-scim/core/internal'
import { checkRunOptions, configureSync, type SyncConfiguration } from './configure.ts'
import { type DirectorySyncOptions, numbers, type RunOptions, type StopOptions } from './options.ts'
import { runPass } from './pass/pass.ts'
import type { SyncReport } from './reporting/report.ts'
import { runByTimetable } from './scheduling/timetable.ts'

/**
 * After the grace period, `stop()` waits at most this long for handlers whose signals the dispatcher aborts. If the
 * pass continues, `stop()` then waits at most this long until the pass releases its lease.
 */
const afterGraceMs = 1000

/** Compares customers' directories with the application, and sends the differences to the application's handlers. */
export interface DirectorySync extends AsyncDisposable {
  /**
   * Runs one pass. The report contains the errors. Only one pass runs at a time across all processes. If another pass
   * is running, the outcome is 'busy'.
   * @throws ConfigurationError if an option is invalid
   */
  run(options?: RunOptions): Promise<SyncReport>
  /**
   * Runs passes by the schedule. The process does not exit before `stop()`. A second call does nothing.
   * @throws ConfigurationError if the options have no `schedule`
   */
  start(): void
  /**
   * Does not begin more passes, and ends running passes early. Running events have `graceSeconds` to finish. Even if
   * events are still running, `stop()` resolves after that time.
   *
   * Call `dispatcher.close()` at the same time, with the same `graceSeconds`. After the grace period, `close()` aborts
   * the signals of handlers that are still running.
   */
  stop(options?: StopOptions): Promise<void>
}

/**
 * Creates a sync of the application with its customers' directories. The sync uses the same handlers as webhooks.
 *
 * @throws ConfigurationError if an option is invalid
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
  /** One controller for each running pass. Aborting a controller ends the pass's wait for running events. */
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
        'the sync runs on a ledger that other processes do not share. Passes of several processes can run at the same time, ' +
          'and can undo webhooks of other processes. Give the dispatcher a shared `store`',
      )
    }
  }

  async run(options: RunOptions = {}): Promise<SyncReport> {
    checkRunOptions(options)
    return this.#tracked(this.#pass(options))
  }

  start(): void {
    const { timetable } = this.#config
    if (!timetable) throw invalid('schedule', 'is required by `start()`')
    if (this.#started) return
    this.#started = true
    const run = () => this.#pass({})
    void this.#tracked(runByTimetable(timetable, this.#config, run, this.#stopping.signal))
  }

  async stop({ graceSeconds }: StopOptions = {}): Promise<void> {
    const { clock, log } = this.#config
    const graceMs = numberOption('graceSeconds', graceSeconds, numbers.graceSeconds) * 1000
    const stopped = new DOMException('scalekit-scim: the sync was stopped', 'AbortError')
    this.#stopping.abort(stopped)
    this.#stopping = new AbortController()
    this.#started = false

    const graces = [...this.#graces]
    const ended = Promise.allSettled(this.#running)
    if ((await within(clock, ended, graceMs + afterGraceMs)) !== timedOut) return
    log.warn({}, 'the sync stops before all its events have ended. Running handlers continue')
    for (const grace of graces) grace.abort(stopped)
    await within(clock, ended, afterGraceMs)
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

  #log({ organizations: _, totals, ...report }: SyncReport): void {
    const fields = { ...report, ...totals }
    if (report.error && report.outcome === 'incomplete') {
      this.#config.log.error(fields, 'a sync pass ended early. The next pass continues')
    } else if (report.outcome !== 'busy') this.#config.log.info(fields, 'a sync pass has ended')
  }

  /**
   * Keeps the process running until the promise settles. Without this timer, a process without other work would exit,
   * because background timers do not keep it running.
   */
  #tracked<Result>(running: Promise<Result>): Promise<Result> {
    const keepAlive = this.#config.clock.setTimeout(() => {}, longestDelayMs, awaited)
    this.#running.add(running)
    const ended = () => {
      keepAlive.cancel()
      this.#running.delete(running)
    }
    running.then(ended, ended)
    return running
  }
}
