import { formatInstant, omitUndefined, plusSeconds } from '@scalekit-scim/core/internal'
import { type Page, recordPages } from '../reading/pages.ts'
import type { DirectoryRef, Kind } from '../reading/records.ts'
import type { Retrying } from '../reading/retrying.ts'
import { listDirectories, type Organizations, organizationIds } from '../reading/source.ts'
import type { DirectoryReport, OrganizationReport, SyncReport } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { eachOf, untilAborted } from '../waiting.ts'
import { type Milestones, readMilestones } from './milestones.ts'
import type { PassContext } from './pass-context.ts'

/** An enabled directory that the pass reads. */
export interface DirectoryTask {
  organization: OrganizationReport
  directory: DirectoryRef
  /** All directories of the organization at the beginning of the pass, including disabled directories. */
  directories: ReadonlySet<string>
  /** Whether records of the given directory belong to another task. */
  belongsToOtherPass: (directoryId: string) => boolean
  milestones: Milestones | undefined
}

/** The shared parts of the pass over one directory. */
export interface DirectoryContext {
  pass: PassContext
  task: DirectoryTask
  report: DirectoryReport
}

/**
 * Lists the directories of the organizations. If the list of organizations ends with an error, the pass continues with
 * the organizations before the error.
 */
export async function discover(
  pass: PassContext,
  organizations: Organizations,
  report: SyncReport,
): Promise<DirectoryTask[]> {
  const tasks: DirectoryTask[] = []
  const calls = pass.apiCalls(report)
  const visit = async (organizationId: string) => {
    const organization: OrganizationReport = { organizationId, directories: [] }
    report.organizations.push(organization)
    try {
      await addTasks(tasks, pass, organization, calls)
    } catch (error) {
      organization.error = reported(error)
    }
    pass.progress.organizations++
    pass.reportProgress()
  }
  try {
    const ids = organizationIds(pass.config.scalekit, organizations, calls)
    await untilAborted(eachOf(ids, pass.config.directoriesAtOnce, visit), pass.signal)
  } catch (error) {
    report.error = reported(error)
  }
  // The pass begins with the directory that has waited longest. If a process crashes during a pass, the next pass
  // begins with the remaining directories. So even if every pass crashes, the sync reads each directory.
  const waitsSince = ({ milestones }: DirectoryTask) => milestones?.completedAt ?? ''
  return tasks.sort((a, b) => (waitsSince(a) < waitsSince(b) ? -1 : waitsSince(a) > waitsSince(b) ? 1 : 0))
}

async function addTasks(
  tasks: DirectoryTask[],
  { config, callStore, progress }: PassContext,
  organization: OrganizationReport,
  calls: Retrying,
): Promise<void> {
  const { organizationId } = organization
  const listed = await listDirectories(config.scalekit, organizationId, calls)
  const directories = new Set(listed.map(({ id }) => id))
  const enabled = listed.filter(({ enabled }) => enabled).map(({ id }) => id)
  if (enabled.length === 0) organization.skipped = listed.length === 0 ? 'no-directory' : 'directory-disabled'
  // A record can be from a directory that the organization no longer has. All such records belong to one task, which is
  // the same in each pass.
  const [first] = [...enabled].sort()
  for (const id of enabled) {
    const directory = { organizationId, id }
    const milestones = await callStore(() => readMilestones(config.dispatcher.ledger, directory))
    const belongsToOtherPass = (other: string) => other !== id && (id !== first || directories.has(other))
    tasks.push({ organization, directory, directories, belongsToOtherPass, milestones })
    progress.directories++
  }
}

/** Yields all pages of records. In an incremental pass, the pages contain only the changes since the last pass. */
export async function* directoryPages(
  { pass, task, report }: DirectoryContext,
  kind: Kind,
): AsyncGenerator<Page, void> {
  const { config, progress } = pass
  const { directory, milestones } = task
  const updatedAfter =
    report.mode === 'incremental' && milestones
      ? formatInstant(plusSeconds(milestones.startedAt, -config.overlapSeconds))
      : undefined
  const pages = recordPages(kind, config.scalekit, directory, {
    ...pass.apiCalls(report),
    ...omitUndefined({ updatedAfter }),
    observe: pass.storeTime,
  })
  let isFirst = true
  for await (const page of pages) {
    if (isFirst) progress.totalSize += page.totalSize
    isFirst = false
    yield page
    progress.seen += page.items.length
    pass.reportProgress()
  }
}

/**
 * Lists the organization's directories again, after the walks. If the customer has since disabled the directory, it can
 * be empty. If the customer has connected another directory, a missing user can be in that directory.
 */
export async function directoriesNow({ pass, task, report }: DirectoryContext) {
  const { organizationId, id } = task.directory
  const directories = await listDirectories(pass.config.scalekit, organizationId, pass.apiCalls(report))
  return {
    enabled: directories.some((directory) => directory.id === id && directory.enabled),
    ids: new Set(directories.map(({ id }) => id)),
  }
}
