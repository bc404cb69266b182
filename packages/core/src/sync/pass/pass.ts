import { callBack, type Instant, plusSeconds } from '@scalekit-scim/core/internal'
import { Slots } from '../applying/event-batch.ts'
import type { SyncConfiguration } from '../configure.ts'
import { SharedIdFinder } from '../deletions/shared-ids.ts'
import type { RunOptions, SyncProgress } from '../options.ts'
import type { DirectoryRef } from '../reading/records.ts'
import { type SyncReport, totalsOf } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { eachOf, keepAlive } from '../waiting.ts'
import { Clocks } from './clocks.ts'
import { type Discovery, discover } from './discovery.ts'
import { passOrganization } from './organization-pass.ts'
import { type PassContext, storeTime } from './pass-context.ts'
import { PassLease } from './pass-lease.ts'

interface PassRequest extends RunOptions {
  /** Ends the pass early. Aborts if the caller's signal aborts, or if `stop()` is called. */
  signal: AbortSignal
  /** Aborts when the pass stops waiting for running events. Always aborts after `signal`. */
  graceOver: AbortSignal
  /** Returns the store's time of the first pass since the start. Full passes before that time do not count. */
  firstPassAt(now: Instant): Instant
}

/** Runs one pass over all organizations, from the lease to the report. Does not reject: errors are in the report. */
export async function runPass(config: SyncConfiguration, request: PassRequest): Promise<SyncReport> {
  const { clock, log } = config
  const startedMs = clock.monotonic()
  const report = openReport(config, request)
  const letExit = keepAlive()
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
      // The lease is released even if a handler is still running after the grace period. The handler's claim protects
      // its resource, and no other part of the pass continues.
      await lease.end()
    }
  } catch (error) {
    report.error = reported(error)
    report.outcome = request.signal.aborted ? 'cancelled' : 'incomplete'
  } finally {
    report.durationMs = clock.monotonic() - startedMs
    letExit()
  }
  return report
}

async function passUnderLease(
  config: SyncConfiguration,
  request: PassRequest,
  lease: PassLease,
  report: SyncReport,
): Promise<void> {
  const directories: DirectoryRef[] = []
  const pass = await openPass(config, request, lease, directories)
  const { signal, clocks, approvals, approvalsUsed } = pass
  const discovery = await discover(pass, request.organizations ?? config.organizations)
  directories.push(...discovery.tasks.map(({ directory }) => directory))
  report.organizations = [...discovery.organizations.values()]
  const byOrganization = Map.groupBy(discovery.tasks, ({ directory }) => directory.organizationId)
  await eachOf(byOrganization, config.directoriesAtOnce, async ([organizationId, tasks]) => {
    const organization = discovery.organizations.get(organizationId)
    if (organization) await passOrganization(pass, tasks, organization)
  })

  conclude(report, discovery)
  report.unusedApprovals = [...approvals].filter((approval) => !approvalsUsed.has(approval))
  if (clocks.apart) {
    report.clocksApart = clocks.apart
    config.log.warn(
      clocks.apart,
      'the clocks are too far apart for the sync. Synchronize them by NTP: until then, changes may be missed',
    )
  }
  if (!signal.aborted) return
  // A lost lease is a failure, not a cancellation.
  report.outcome = lease.lost.aborted && !request.signal.aborted ? 'incomplete' : 'cancelled'
  report.error ??= reported(signal.reason)
}

async function openPass(
  config: SyncConfiguration,
  request: PassRequest,
  lease: PassLease,
  directories: readonly DirectoryRef[],
): Promise<PassContext> {
  const { clock, fullEverySeconds } = config
  const { mode = 'auto', dryRun = false, approve, graceOver } = request
  const closed = new AbortController()
  const signal = AbortSignal.any([request.signal, lease.lost, closed.signal])
  const clocks = new Clocks(() => storeTime({ config, signal }))
  const now = await clocks.readStore(clock)
  const progress: SyncProgress = {
    organizations: 0,
    directories: 0,
    directoriesDone: 0,
    seen: 0,
    totalSize: 0,
  }
  return {
    config,
    mode,
    dryRun,
    approvals: new Set(approve),
    approvalsUsed: new Set(),
    fullSince: later(request.firstPassAt(now), plusSeconds(now, -fullEverySeconds)),
    signal,
    graceOver,
    checkLease: () => lease.check(),
    endForClosedDispatcher: () =>
      closed.abort(new DOMException('scalekit-scim: the dispatcher was closed', 'AbortError')),
    slots: new Slots(config.eventsAtOnce),
    clocks,
    sharedIds: new SharedIdFinder(directories, { signal, clock }),
    progress,
    reportProgress: () => callBack(request.onProgress, { ...progress }),
  }
}

function later(one: Instant, other: Instant): Instant {
  return one > other ? one : other
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
