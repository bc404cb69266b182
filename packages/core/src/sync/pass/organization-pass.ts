import { emptyReport } from '../reporting/directory-report.ts'
import type { OrganizationReport } from '../reporting/report.ts'
import { DirectoryPass } from './directory-pass.ts'
import type { DirectoryContext } from './directory-reader.ts'
import { type DirectoryTask, modeFor } from './discovery.ts'
import { brokenPass, mustRetry, noFailures } from './milestones.ts'
import type { PassContext } from './pass-context.ts'

/**
 * Reads all directories of an organization before it deletes missing records. A record that is missing from one
 * directory may be listed by another.
 */
export async function passOrganization(
  pass: PassContext,
  tasks: readonly DirectoryTask[],
  organization: OrganizationReport,
): Promise<void> {
  const modes = new Map(tasks.map((task) => [task, modeFor(pass, task.milestones)]))
  // If one directory needs a full pass, all directories of the organization get one. A directory whose full passes have
  // failed several times in a row does not have this effect.
  const isFull = tasks.some(
    (task) => modes.get(task) === 'full' && mustRetry(task.milestones?.failures ?? noFailures, brokenPass),
  )
  const begun: DirectoryPass[] = []
  for (const task of tasks) {
    if (pass.signal.aborted) break
    const report = emptyReport(task.directory.id, isFull ? 'full' : (modes.get(task) ?? 'full'))
    organization.directories.push(report)
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
    log.error({ ...ids, ...error }, 'a directory was not read to its end; the pass continues with the others')
  }
  const failed = users.failed + groups.failed
  if (failed > 0) log.error({ ...ids, failed }, 'events of the sync failed; the next pass retries them')
  for (const { ids: _, ...fields } of held) {
    if (fields.approvedUntil)
      log.info({ ...ids, ...fields }, 'approved deletions wait for the next full pass')
    else log.warn({ ...ids, ...fields }, 'deletions are held: check the report, and approve the right ones')
  }
  if (deactivated.overLimits) {
    log.warn(
      { ...ids, deactivated: deactivated.count },
      'the sync deactivated more users than `deletions` allows to delete in a day: check that this is right',
    )
  }
}
