import type { DirectoryTask } from './directory-task.ts'
import { apiCalls, type PassContext } from './pass-context.ts'
import { readMilestones } from './progress.ts'
import { type OrganizationReport, type ReportedError, reported } from './report.ts'
import { retrying } from './retrying.ts'
import { type Organizations, organizationIds } from './source.ts'
import { eachOf, patiently, untilAborted } from './waiting.ts'

/** What there is to do: the organizations, and their enabled directories with what is known of their last passes. */
export interface Discovery {
  organizations: Map<string, OrganizationReport>
  tasks: DirectoryTask[]
  retries: number
  /** The list of organizations broke off: what was found until then is done all the same. */
  error?: ReportedError
}

export async function discover(pass: PassContext, organizations: Organizations): Promise<Discovery> {
  const discovery: Discovery = { organizations: new Map(), tasks: [], retries: 0 }
  const { config, progress } = pass
  const calls = apiCalls(pass, () => discovery.retries++)
  const lookAt = async (organizationId: string) => {
    const report: OrganizationReport = { organizationId, directories: [] }
    discovery.organizations.set(organizationId, report)
    try {
      const { directories } = await retrying(
        () => config.scalekit.directory.listDirectories(organizationId),
        calls,
      )
      const enabled = directories.filter((directory) => directory.enabled)
      if (enabled.length === 0) {
        report.skipped = directories.length === 0 ? 'no-directory' : 'directory-disabled'
      }
      const ids = new Set(directories.map(({ id }) => id))
      const [first] = enabled.map(({ id }) => id).sort()
      for (const { id } of enabled) {
        const directory = { organizationId, id }
        const milestones = await patiently(
          config.clock,
          () => readMilestones(config.dispatcher.ledger, directory),
          pass.signal,
        )
        // What was a directory's that is not there any more is one's to ask about: the same in each pass.
        const isOthers = (other: string) => other !== id && (id !== first || ids.has(other))
        discovery.tasks.push({ directory, directories: ids, isOthers, milestones })
        progress.directories++
      }
    } catch (error) {
      report.error = reported(error)
    }
    progress.organizations++
    pass.progressed()
  }
  try {
    const ids = organizationIds(config.scalekit, organizations, calls)
    await untilAborted(eachOf(ids, config.directoriesAtOnce, lookAt), pass.signal)
  } catch (error) {
    discovery.error = reported(error)
  }
  discovery.tasks.sort(longestWaitingFirst)
  return discovery
}

/** So a pass that died is gone on with where it stopped, and one that always dies still gets to all. */
function longestWaitingFirst(a: DirectoryTask, b: DirectoryTask): number {
  const [one, other] = [a.milestones?.completedAt ?? '', b.milestones?.completedAt ?? '']
  return one < other ? -1 : one > other ? 1 : 0
}
