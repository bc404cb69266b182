import type { PassContext } from './pass-context.ts'
import { type Milestones, never } from './progress.ts'
import type { DirectoryRef } from './records.ts'
import { type DirectoryReport, noCounts } from './report.ts'
import { recordList } from './results.ts'

export interface DirectoryTask {
  directory: DirectoryRef
  /** All that the organization has, enabled or not, as the pass found them at its beginning. */
  directories: ReadonlySet<string>
  /** Whether the records of that directory are no matter of this task's. */
  isOthers: (directoryId: string) => boolean
  milestones: Milestones | undefined
}

/** A directory that no pass has finished or settled is read whole, whatever was asked for. */
export function modeFor(
  { mode, approvals, fullSince }: Pick<PassContext, 'mode' | 'approvals' | 'fullSince'>,
  milestones: Milestones | undefined,
): 'full' | 'incremental' {
  if (mode === 'full' || approvals.size > 0) return 'full'
  if (!milestones || milestones.startedAt === never || milestones.fullStartedAt === never) return 'full'
  return mode === 'incremental' || milestones.fullStartedAt >= fullSince ? 'incremental' : 'full'
}

export function openDirectoryReport(
  { directory }: DirectoryTask,
  mode: 'full' | 'incremental',
): DirectoryReport {
  return {
    directoryId: directory.id,
    mode,
    users: noCounts(),
    groups: noCounts(),
    held: [],
    deleted: { users: recordList(), groups: recordList() },
    failed: { users: recordList(), groups: recordList() },
    returned: [],
    deactivated: { ...recordList(), overLimits: false },
    retries: 0,
    durationMs: 0,
  }
}
