import type { SyncConfiguration } from '../configure.ts'
import { earliestInstant } from '../reading/records.ts'
import { emptyReport } from '../reporting/directory-report.ts'
import { type SyncReport, totalsOf } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { eachOf } from '../waiting.ts'
import { type DirectoryContext, type DirectoryTask, discover } from './directories.ts'
import { DirectoryPass } from './directory-pass.ts'
import { brokenPass, mustRetry, noMilestones } from './milestones.ts'
import { openPass, type PassContext, type PassRequest } from './pass-context.ts'
import { PassLease } from './pass-lease.ts'

/**
 * Runs one pass over all organizations, from the lease to the report. Does not reject: the report contains the errors.
 */
export async function runPass(config: SyncConfiguration, request: PassRequest): Promise<SyncReport> {
  const { clock, log } = config
  const startedMs = clock.monotonic()
  const report = openReport(config, request)
  try {
    const lease = new PassLease(config)
    if (!(await lease.take())) {
      report.outcome = 'busy'
      log.info({}, 'skipped: another sync pass is running')
      return report
    }
    try {
      await passUnderLease(config, request, lease, report)
    } finally {
      // After the grace period, a handler can still be running. The pass still releases the lease. The handler's claim
      // protects its resource. No other part of the pass continues.
      await lease.end()
    }
  } catch (error) {
    report.error = reported(error)
    report.outcome = request.signal.aborted ? 'cancelled' : 'incomplete'
  } finally {
    report.durationMs = clock.monotonic() - startedMs
  }
  return report
}

async function passUnderLease(
  config: SyncConfiguration,
  request: PassRequest,
  lease: PassLease,
  report: SyncReport,
): Promise<void> {
  const pass = await openPass(config, request, lease)
  const { signal, clocks, approvals, approvalsUsed } = pass
  const tasks = await discover(pass, request.organizations ?? config.organizations, report)
  pass.directories.push(...tasks.map(({ directory }) => directory))
  const byOrganization = Map.groupBy(tasks, ({ organization }) => organization)
  await eachOf(byOrganization.values(), config.directoriesAtOnce, (tasks) => passOrganization(pass, tasks))

  conclude(report)
  report.unusedApprovals = [...approvals].filter((approval) => !approvalsUsed.has(approval))
  if (clocks.apart) {
    report.clocksApart = clocks.apart
    config.log.warn(
      clocks.apart,
      'the clocks are too far apart for the sync. Synchronize the clocks (NTP). Until then, the sync can miss changes',
    )
  }
  if (!signal.aborted) return
  // A lost lease is a failure, not a cancellation.
  report.outcome = lease.lost.aborted && !request.signal.aborted ? 'incomplete' : 'cancelled'
  report.error ??= reported(signal.reason)
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

function conclude(report: SyncReport): void {
  report.totals = totalsOf(report.organizations)
  const directories = report.organizations.flatMap((organization) => organization.directories)
  report.retries = directories.reduce((sum, { retries }) => sum + retries, report.retries)
  const { errors, users, groups } = report.totals
  if (report.error || errors > 0 || users.failed + groups.failed > 0) report.outcome = 'incomplete'
}

/**
 * Reads all directories of an organization before it deletes missing records. If a record is missing from one
 * directory, another directory can list it.
 */
async function passOrganization(pass: PassContext, tasks: readonly DirectoryTask[]): Promise<void> {
  // If one directory needs a full pass, all directories of the organization get a full pass. A directory with several
  // consecutive failed full passes affects only itself.
  const isFull = tasks.some(
    (task) =>
      modeFor(pass, task) === 'full' && mustRetry((task.milestones ?? noMilestones).failures, brokenPass),
  )
  const begun: DirectoryPass[] = []
  for (const task of tasks) {
    if (pass.signal.aborted) break
    const report = emptyReport(task.directory.id, isFull ? 'full' : modeFor(pass, task))
    task.organization.directories.push(report)
    const directory = new DirectoryPass({ pass, task, report }, tasks.length > 1)
    begun.push(directory)
    await directory.update()
  }
  for (const directory of begun) {
    await directory.deleteMissing(begun.filter((other) => other !== directory))
    logDirectory(directory.context)
    pass.progress.directoriesDone++
    pass.reportProgress()
  }
}

function logDirectory({ pass, task, report }: DirectoryContext): void {
  const { log } = pass.config
  const { organizationId, id: directoryId } = task.directory
  const ids = { organizationId, directoryId }
  const { error, users, groups, held, deactivated } = report
  if (error && !pass.signal.aborted) {
    log.error(
      { ...ids, ...error },
      'the pass did not finish a directory. The pass continues with the other directories',
    )
  }
  const failed = users.failed + groups.failed
  if (failed > 0) log.error({ ...ids, failed }, 'events of the sync failed. The next pass retries them')
  for (const { ids: _, ...fields } of held) {
    if (fields.approvedUntil)
      log.info({ ...ids, ...fields }, 'approved deletions wait for the next full pass')
    else log.warn({ ...ids, ...fields }, 'deletions are held. Check the report. Approve correct deletions')
  }
  if (deactivated.overLimits) {
    log.warn(
      { ...ids, deactivated: deactivated.count },
      'the sync deactivated more users than `deletions` allows to delete in a day. Check the deactivated users',
    )
  }
}

/** Returns the mode for one directory. A directory that no pass has completed always gets a full pass. */
function modeFor(
  { mode, approvals, fullSince }: PassContext,
  { milestones }: DirectoryTask,
): 'full' | 'incremental' {
  if (mode === 'full' || approvals.size > 0 || !milestones) return 'full'
  const { startedAt, fullStartedAt } = milestones
  if (startedAt === earliestInstant || fullStartedAt === earliestInstant) return 'full'
  return mode === 'incremental' || fullStartedAt >= fullSince ? 'incremental' : 'full'
}
