import type { Counts, DirectoryReport, SyncReport } from '@scalekit-scim/core/sync'
import type { Story } from './story.ts'

/** Gives each approval a short name. */
type Names = Pick<Story, 'nameOf'>

/** Formats a report with one line for each directory. */
export function describePass(
  { outcome, error, organizations, unusedApprovals }: SyncReport,
  story: Names,
): string[] {
  const unused = unusedApprovals.map((approval) => story.nameOf(approval))
  return [
    [outcome, error?.code ?? error?.name, unused.length > 0 ? `unused: ${unused.join(', ')}` : undefined]
      .filter(Boolean)
      .join(', '),
    ...organizations.flatMap(({ organizationId, skipped, error, directories }) => [
      ...(skipped || error ? [`${organizationId}: ${skipped ?? error?.code ?? error?.name}`] : []),
      ...directories.map((directory) => describeDirectory(directory, story)),
    ]),
  ]
}

function describeDirectory(report: DirectoryReport, story: Names): string {
  const { directoryId, mode, users, groups, held, error } = report
  const holds = held.map(({ kind, reason, count, ids, approval }) => {
    const name = approval === undefined ? 'no approval' : story.nameOf(approval)
    return `holds ${count} ${kind}s as ${reason} (${name}): ${ids.join(' ')}`
  })
  return [
    `${directoryId} ${mode}: users ${countsIn(users)}; groups ${countsIn(groups)}`,
    ...(error ? [`error ${error.code ?? error.name}`] : []),
    ...holds,
  ].join('; ')
}

function countsIn(counts: Counts): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}
