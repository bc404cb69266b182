import type {
  ClocksApart,
  Counts,
  DirectoryReport,
  HeldDeletions,
  OrganizationReport,
  RecordList,
  ReportedError,
  ReturnedRecords,
  SyncReport,
} from './report.ts'

const heldBecause: Readonly<Record<HeldDeletions['reason'], string>> = {
  'nothing-listed': 'the directory lists nothing',
  'over-half': 'more than half of the records would be deleted within 30 days',
  'over-limit': 'they are more than the limits allow',
  'directory-removed': 'the organization no longer has their directory',
  'no-origin': '`known` yields neither `occurredAt` nor `directoryId`',
  'no-history': 'no earlier pass on this store has checked the directory',
  'several-directories': '`known` does not yield the `directoryId` that they need',
  unsettled:
    'the directory changed during the pass, another directory failed, or `known` yielded foreign records; a later pass checks again',
  'directory-disabled': 'the directory was disabled during the pass',
}

/** A line contains at most this many ids. The report contains the first 1,000. */
const namedAtMost = 100

/**
 * Formats a report for people: the totals, a line for each directory with changes, and the approvals for held
 * deletions.
 *
 * @example
 * console.log(formatReport(await sync.run()))
 */
export function formatReport(report: SyncReport): string {
  const { totals, outcome } = report
  const what = report.dryRun ? 'Dry run' : 'Sync'
  if (outcome === 'busy') return `${what} not begun: another pass is running`
  const lines = [
    `${what} ${outcome} in ${duration(report.durationMs)}${modeText(report)}${errorText(report.error)}`,
    `${counted(totals.organizations, 'organization')} (${totals.skipped} skipped), ` +
      `${counted(totals.directories, 'directory', 'directories')}, ` +
      `${counted(totals.errors, 'error')}, ${counted(report.retries, 'retry', 'retries')}`,
    ...countLines(totals),
  ]
  if (report.clocksApart) lines.push(clocksText(report.clocksApart))
  // If there is only one directory, its counts are the same as the totals.
  const withCounts = totals.directories > 1
  lines.push(...report.organizations.flatMap((organization) => organizationLines(organization, withCounts)))
  lines.push(...report.unusedApprovals.map((approval) => `approval ${approval} matches no held deletions`))
  return lines.join('\n')
}

function clocksText({ storeAheadSeconds, recordsAheadSeconds }: ClocksApart): string {
  const apart: string[] = []
  if (storeAheadSeconds) {
    const direction = storeAheadSeconds > 0 ? 'ahead of' : 'behind'
    apart.push(`the store's is ${Math.abs(storeAheadSeconds)} s ${direction} this process's`)
  }
  if (recordsAheadSeconds) apart.push(`Scalekit's is ${recordsAheadSeconds} s ahead of the store's`)
  return `clocks: ${apart.join(', ')}. Synchronize the clocks (NTP). Until then, the sync can miss changes`
}

function modeText({ organizations, totals }: SyncReport): string {
  const directories = organizations.flatMap((organization) => organization.directories)
  const full = directories.filter(({ mode }) => mode === 'full').length
  if (totals.directories === 0) return ''
  if (full === 0) return ' (incremental)'
  if (full === totals.directories) return ' (full)'
  return ` (${full} of ${totals.directories} directories full)`
}

function organizationLines(
  { organizationId, error, directories }: OrganizationReport,
  withCounts: boolean,
): string[] {
  const lines = error ? [`${organizationId}${errorText(error)}`] : []
  for (const directory of directories) {
    if (isQuiet(directory)) continue
    const { directoryId, mode, durationMs, error, held, returned } = directory
    lines.push(`${organizationId} ${directoryId} (${mode}, ${duration(durationMs)})${errorText(error)}`)
    if (withCounts) lines.push(...countLines(directory).map((line) => `  ${line}`))
    lines.push(...recordLines(directory), ...held.map(heldText), ...returned.map(returnedText))
  }
  return lines
}

/**
 * Returns lines with the ids of deleted records and of records with a failed event. If the pass deactivated too many
 * users, also returns a line with the ids of these users.
 */
function recordLines({ deleted, failed, deactivated }: DirectoryReport): string[] {
  const lists: [string, string, RecordList][] = [
    ['deleted', 'user', deleted.users],
    ['deleted', 'group', deleted.groups],
    ['failed', 'user', failed.users],
    ['failed', 'group', failed.groups],
  ]
  if (deactivated.overLimits) lists.push(['deactivated, above the daily limit:', 'user', deactivated])
  return lists
    .filter(([, , { count }]) => count > 0)
    .map(([what, kind, { count, ids }]) => {
      const more = count > namedAtMost ? `, and ${count - namedAtMost} more` : ''
      return `  ${what} ${counted(count, kind)}: ${ids.slice(0, namedAtMost).join(', ')}${more}`
    })
}

function isQuiet({ users, groups, error, held, returned }: DirectoryReport): boolean {
  const isQuietKind = ({ seen, unchanged, repeated, deleted, failed }: Counts) =>
    seen === unchanged + repeated && deleted + failed === 0
  return !error && held.length + returned.length === 0 && isQuietKind(users) && isQuietKind(groups)
}

function heldText({ kind, reason, count, approval, approvedUntil }: HeldDeletions): string {
  const what = `  held: ${counted(count, kind)} not listed any more. Reason: ${heldBecause[reason]}`
  if (approval === undefined) return what
  if (approvedUntil === undefined) return `${what}. To delete them: approve ${approval}`
  return `${what}. Approved until ${approvedUntil}: the next full pass deletes them`
}

function returnedText({ kind, count, approval }: ReturnedRecords): string {
  return `  ${counted(count, kind)} listed again, and no longer held as ${approval}`
}

function countLines({ users, groups }: Record<'users' | 'groups', Counts>): string[] {
  return [`users: ${countsText(users)}`, `groups: ${countsText(groups)}`]
}

function countsText({ seen, ...counts }: Counts): string {
  const others = Object.entries(counts).filter(([, count]) => count > 0)
  return [`${seen} seen`, ...others.map(([name, count]) => `${count} ${name}`)].join(', ')
}

function errorText(error: ReportedError | undefined): string {
  if (!error) return ''
  const { name, code, hint } = error
  return `: ${name}${code === undefined ? '' : ` ${code}`}${hint === undefined ? '' : `: ${hint}`}`
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 100) / 10
  if (seconds < 60) return `${seconds} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
