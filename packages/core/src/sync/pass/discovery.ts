import type { DirectoryRef } from '../reading/records.ts'
import { listDirectories, type Organizations, organizationIds } from '../reading/source.ts'
import type { OrganizationReport, SyncReport } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { eachOf, retryStore, untilAborted } from '../waiting.ts'
import { type Milestones, readMilestones } from './milestones.ts'
import { apiCalls, type PassContext } from './pass-context.ts'

/** An enabled directory that the pass reads. */
export interface DirectoryTask {
  organization: OrganizationReport
  directory: DirectoryRef
  /** All directories of the organization at the beginning of the pass, including disabled ones. */
  directories: ReadonlySet<string>
  /** Whether records of the given directory belong to another task. */
  isOthers: (directoryId: string) => boolean
  milestones: Milestones | undefined
}

/**
 * Lists the directories of the organizations. If the list of organizations ends with an error, the pass continues with
 * the organizations that were found before.
 */
export async function discover(
  pass: PassContext,
  organizations: Organizations,
  report: SyncReport,
): Promise<DirectoryTask[]> {
  const tasks: DirectoryTask[] = []
  const { scalekit, directoriesAtOnce } = pass.config
  const calls = apiCalls(pass, () => report.retries++)
  const visit = async (organizationId: string) => {
    const organization: OrganizationReport = { organizationId, directories: [] }
    report.organizations.push(organization)
    try {
      const directories = await listDirectories(scalekit, organizationId, calls)
      const enabled = directories.filter((directory) => directory.enabled).map(({ id }) => id)
      if (enabled.length === 0) {
        organization.skipped = directories.length === 0 ? 'no-directory' : 'directory-disabled'
      }
      const all = new Set(directories.map(({ id }) => id))
      for (const id of enabled) tasks.push(await taskFor(pass, organization, id, enabled, all))
    } catch (error) {
      organization.error = reported(error)
    }
    pass.progress.organizations++
    pass.reportProgress()
  }
  try {
    const ids = organizationIds(scalekit, organizations, calls)
    await untilAborted(eachOf(ids, directoriesAtOnce, visit), pass.signal)
  } catch (error) {
    report.error = reported(error)
  }
  // The directory that has waited longest goes first. If a process dies during a pass, the next pass continues with the
  // remaining directories. Even if this happens in every pass, each directory gets its turn.
  const waitsSince = ({ milestones }: DirectoryTask) => milestones?.completedAt ?? ''
  return tasks.sort((a, b) => (waitsSince(a) < waitsSince(b) ? -1 : waitsSince(a) > waitsSince(b) ? 1 : 0))
}

async function taskFor(
  { config, progress, signal }: PassContext,
  organization: OrganizationReport,
  id: string,
  enabled: readonly string[],
  directories: ReadonlySet<string>,
): Promise<DirectoryTask> {
  const directory = { organizationId: organization.organizationId, id }
  const readOnce = () => readMilestones(config.dispatcher.ledger, directory)
  const milestones = await retryStore(config.clock, readOnce, signal)
  // Records of directories that the organization no longer has are assigned to one directory, the same one in each
  // pass.
  const isFirst = id === [...enabled].sort()[0]
  const isOthers = (other: string) => other !== id && (!isFirst || directories.has(other))
  progress.directories++
  return { organization, directory, directories, isOthers, milestones }
}
