import { type DirectoryRef, earliestInstant } from '../reading/records.ts'
import { retrying } from '../reading/retrying.ts'
import { type Organizations, organizationIds } from '../reading/source.ts'
import type { OrganizationReport, ReportedError } from '../reporting/report.ts'
import { reported } from '../reporting/reported-error.ts'
import { eachOf, retryStore, untilAborted } from '../waiting.ts'
import { type Milestones, readMilestones } from './milestones.ts'
import { apiCalls, type PassContext } from './pass-context.ts'

/** An enabled directory that the pass reads. */
export interface DirectoryTask {
  directory: DirectoryRef
  /** All directories of the organization at the beginning of the pass, including disabled ones. */
  directories: ReadonlySet<string>
  /** Whether records of the given directory belong to another task. */
  isOthers: (directoryId: string) => boolean
  milestones: Milestones | undefined
}

/** The organizations of a pass, and the tasks for their enabled directories. */
export interface Discovery {
  organizations: Map<string, OrganizationReport>
  tasks: DirectoryTask[]
  retries: number
  /**
   * The error that ended the list of organizations. The pass continues with the organizations that were found before.
   */
  error?: ReportedError
}

export async function discover(pass: PassContext, organizations: Organizations): Promise<Discovery> {
  const discovery: Discovery = { organizations: new Map(), tasks: [], retries: 0 }
  const { scalekit, directoriesAtOnce } = pass.config
  const calls = apiCalls(pass, () => discovery.retries++)
  const visit = async (organizationId: string) => {
    const report: OrganizationReport = { organizationId, directories: [] }
    discovery.organizations.set(organizationId, report)
    try {
      const list = () => scalekit.directory.listDirectories(organizationId)
      const { directories } = await retrying(list, calls)
      const enabled = directories.filter((directory) => directory.enabled).map(({ id }) => id)
      if (enabled.length === 0) {
        report.skipped = directories.length === 0 ? 'no-directory' : 'directory-disabled'
      }
      const all = new Set(directories.map(({ id }) => id))
      for (const id of enabled)
        discovery.tasks.push(await taskFor(pass, { organizationId, id }, enabled, all))
    } catch (error) {
      report.error = reported(error)
    }
    pass.progress.organizations++
    pass.reportProgress()
  }
  try {
    const ids = organizationIds(scalekit, organizations, calls)
    await untilAborted(eachOf(ids, directoriesAtOnce, visit), pass.signal)
  } catch (error) {
    discovery.error = reported(error)
  }
  // The directory that has waited longest goes first. If a process dies during a pass, the next pass continues with the
  // remaining directories. Even if this happens in every pass, each directory gets its turn.
  const waitsSince = ({ milestones }: DirectoryTask) => milestones?.completedAt ?? ''
  discovery.tasks.sort((a, b) => (waitsSince(a) < waitsSince(b) ? -1 : waitsSince(a) > waitsSince(b) ? 1 : 0))
  return discovery
}

async function taskFor(
  { config, progress, signal }: PassContext,
  directory: DirectoryRef,
  enabled: readonly string[],
  directories: ReadonlySet<string>,
): Promise<DirectoryTask> {
  const { id } = directory
  const readOnce = () => readMilestones(config.dispatcher.ledger, directory)
  const milestones = await retryStore(config.clock, readOnce, signal)
  // Records of directories that the organization no longer has are assigned to one directory, the same one in each
  // pass.
  const isFirst = id === [...enabled].sort()[0]
  const isOthers = (other: string) => other !== id && (!isFirst || directories.has(other))
  progress.directories++
  return { directory, directories, isOthers, milestones }
}

/** The mode for one directory. A directory that no pass has completed always gets a full pass. */
export function modeFor(
  { mode, approvals, fullSince }: Pick<PassContext, 'mode' | 'approvals' | 'fullSince'>,
  milestones: Milestones | undefined,
): 'full' | 'incremental' {
  if (mode === 'full' || approvals.size > 0 || !milestones) return 'full'
  const { startedAt, fullStartedAt } = milestones
  if (startedAt === earliestInstant || fullStartedAt === earliestInstant) return 'full'
  return mode === 'incremental' || fullStartedAt >= fullSince ? 'incremental' : 'full'
}
