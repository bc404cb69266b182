import { formatInstant, omitUndefined, plusSeconds } from '@scalekit-scim/core/internal'
import { type Page, recordPages } from '../reading/pages.ts'
import type { Kind } from '../reading/records.ts'
import { listDirectories } from '../reading/source.ts'
import type { DirectoryReport } from '../reporting/report.ts'
import type { DirectoryTask } from './discovery.ts'
import { apiCalls, type PassContext, storeTime } from './pass-context.ts'

/** The shared parts of the pass over one directory. */
export interface DirectoryContext {
  pass: PassContext
  task: DirectoryTask
  report: DirectoryReport
}

/** All pages of records. In an incremental pass, only pages with the changes since the last pass. */
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
    ...apiCalls(pass, () => report.retries++),
    ...omitUndefined({ updatedAfter }),
    observe: () => storeTime(pass),
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
 * Lists the organization's directories again, after the walks. A directory that was disabled meanwhile may list no
 * users. A missing user may be in a directory that the customer connected meanwhile.
 */
export async function directoriesNow({
  pass,
  task,
  report,
}: DirectoryContext): Promise<{ enabled: boolean; ids: ReadonlySet<string> }> {
  const { organizationId, id } = task.directory
  const calls = apiCalls(pass, () => report.retries++)
  const directories = await listDirectories(pass.config.scalekit, organizationId, calls)
  return {
    enabled: directories.some((directory) => directory.id === id && directory.enabled),
    ids: new Set(directories.map(({ id }) => id)),
  }
}
