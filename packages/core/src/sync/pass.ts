import { callBack, type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import { Application } from './applying.ts'
import { Clocks } from './clocks.ts'
import type { SyncConfiguration } from './configure.ts'
import { Neighbours } from './deletions/neighbours.ts'
import { DirectoryPass } from './directory-pass.ts'
import { type DirectoryTask, modeFor, openDirectoryReport } from './directory-task.ts'
import { type Discovery, discover } from './discovery.ts'
import { brokenPass, mustTryAgain, noFailures } from './failures.ts'
import type { RunOptions, SyncProgress } from './options.ts'
import { type PassContext, storeTime } from './pass-context.ts'
import { PassLease } from './pass-lease.ts'
import { reported, type SyncReport, totalsOf } from './report.ts'
import { eachOf, keepAlive } from './waiting.ts'

interface PassRequest extends RunOptions {
  /** Ends the pass: the caller's, or `stop()`. */
  signal: AbortSignal
  /** Aborts when the events that have begun are waited for no longer. The pass has been ended before. */
  graceOver: AbortSignal
  /** The store's time of the first pass since the start: a full pass of before does not count. */
  firstPassAt(now: Instant): Instant
}

/** One pass over all organizations, from the lease to the report. Rejects for nobody: what fails is in the report. */
export async function runPass(config: SyncConfiguration, request: PassRequest): Promise<SyncReport> {
  const { clock, log, leaseSeconds, dispatcher } = config
  const startedMs = clock.monotonic()
  const report = openReport(config, request)
  const rest = keepAlive()
  try {
    const lease = await PassLease.take({ ledger: dispatcher.ledger, clock, leaseSeconds, log })
    if (!lease) {
      report.outcome = 'busy'
      log.info({}, 'another pass of the sync is running: this one is left out')
      return report
    }
    try {
      await underLease(config, request, lease, report)
    } finally {
      // Also where a handler has outlasted the grace: the claim that it runs under keeps its resource, and nothing else
      // of the pass goes on.
      await lease.end()
    }
  } catch (error) {
    report.error = reported(error)
    report.outcome = request.signal.aborted ? 'cancelled' : 'incomplete'
  } finally {
    report.durationMs = clock.monotonic() - startedMs
    rest()
  }
  return report
}

async function underLease(
  config: SyncConfiguration,
  request: PassRequest,
  lease: PassLease,
  report: SyncReport,
): Promise<void> {
  const { dispatcher, clock, log, fullEverySeconds, eventsAtOnce, directoriesAtOnce } = config
  const application = new Application({ dispatcher, clock, dryRun: report.dryRun, atOnce: eventsAtOnce, log })
  const signal = AbortSignal.any([request.signal, lease.lost, application.closed])
  const clocks = new Clocks(() => storeTime({ config, signal }))
  const now = await clocks.readStore(clock)
  const dayAgo = plusSeconds(now, -fullEverySeconds)
  const firstPassAt = request.firstPassAt(now)
  const progress: SyncProgress = {
    organizations: 0,
    directories: 0,
    directoriesDone: 0,
    seen: 0,
    totalSize: 0,
  }
  const tasks: DirectoryTask[] = []
  const pass: PassContext = {
    config,
    mode: report.mode,
    dryRun: report.dryRun,
    approvals: new Set(request.approve),
    approvalsUsed: new Set(),
    fullSince: firstPassAt > dayAgo ? firstPassAt : dayAgo,
    application,
    signal,
    graceOver: request.graceOver,
    mayGoOn: () => {
      signal.throwIfAborted()
      lease.requireHeld()
    },
    clocks,
    neighbours: new Neighbours(tasks, { signal, clock }),
    progress,
    progressed: () => callBack(request.onProgress, { ...progress }),
  }

  const discovery = await discover(pass, request.organizations ?? config.organizations)
  tasks.push(...discovery.tasks)
  report.organizations = [...discovery.organizations.values()]
  const organizations = Map.groupBy(discovery.tasks, ({ directory }) => directory.organizationId)
  await eachOf(organizations.values(), directoriesAtOnce, (tasks) => passOrganization(pass, tasks, discovery))
  conclude(report, discovery)
  if (clocks.apart) {
    report.clocksApart = clocks.apart
    log.warn(
      clocks.apart,
      'the clocks are too far apart for the sync: set them by NTP, for changes may be missed meanwhile',
    )
  }
  report.unusedApprovals = [...pass.approvals].filter((approval) => !pass.approvalsUsed.has(approval))
  if (!signal.aborted) return
  // A lost lease is no wish of anybody's.
  report.outcome = lease.lost.aborted && !request.signal.aborted ? 'incomplete' : 'cancelled'
  report.error ??= reported(signal.reason)
}

/** Reads all directories of an organization, and then deletes: somebody missing from one may be listed by another. */
async function passOrganization(
  pass: PassContext,
  tasks: readonly DirectoryTask[],
  discovery: Discovery,
): Promise<void> {
  const own = tasks.map(({ milestones }) => modeFor(pass, milestones))
  // A directory that cannot be read for long is no reason to read the others whole each time.
  const together = tasks.some(
    ({ milestones }, index) =>
      own[index] === 'full' && mustTryAgain(milestones?.failures ?? noFailures, brokenPass),
  )
  const begun: DirectoryPass[] = []
  for (const [index, task] of tasks.entries()) {
    if (pass.signal.aborted) break
    const report = openDirectoryReport(task, together ? 'full' : (own[index] ?? 'full'))
    discovery.organizations.get(task.directory.organizationId)?.directories.push(report)
    const directory = new DirectoryPass(pass, task, report, tasks.length > 1)
    begun.push(directory)
    await directory.bring()
  }
  for (const directory of begun) {
    await directory.remove(begun.filter((other) => other !== directory))
    logDirectory(pass, directory)
    pass.progress.directoriesDone++
    pass.progressed()
  }
}

function logDirectory(pass: PassContext, { task, report }: DirectoryPass): void {
  const { log } = pass.config
  const { organizationId, id: directoryId } = task.directory
  const fields = { organizationId, directoryId }
  if (report.error && !pass.signal.aborted) {
    log.error({ ...fields, ...report.error }, 'a directory could not be synced to its end; the others go on')
  }
  const failed = report.users.failed + report.groups.failed
  if (failed > 0)
    log.error({ ...fields, failed }, 'events of the sync failed; the next pass brings them again')
  for (const { ids: _, ...held } of report.held) {
    if (held.approvedUntil) log.info({ ...fields, ...held }, 'approved deletions wait for the next full pass')
    else log.warn({ ...fields, ...held }, 'deletions are held: see the report, and approve what is right')
  }
  if (report.deactivated.overLimits) {
    log.warn(
      { ...fields, deactivated: report.deactivated.count },
      'the sync deactivated more users than `deletions` would let it delete in a day: check that this is right',
    )
  }
}

function openReport({ clock }: SyncConfiguration, request: PassRequest): SyncReport {
  return {
    startedAt: new Date(clock.now()).toISOString(),
    durationMs: 0,
    mode: request.mode ?? 'auto',
    dryRun: request.dryRun ?? false,
    outcome: 'complete',
    organizations: [],
    totals: totalsOf([]),
    unusedApprovals: [...new Set(request.approve)],
    retries: 0,
  }
}

function conclude(report: SyncReport, { retries, error }: Discovery): void {
  report.totals = totalsOf(report.organizations)
  const directories = report.organizations.flatMap((organization) => organization.directories)
  report.retries = directories.reduce((sum, directory) => sum + directory.retries, retries)
  if (error) report.error = error
  const { errors, users, groups } = report.totals
  if (error || errors > 0 || users.failed + groups.failed > 0) report.outcome = 'incomplete'
}
