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
  'nothing-listed': 'the directory lists nothing at all',
  'over-half': 'over half of the records would be deleted within 30 days',
  'over-limit': 'they are more than the limits allow',
  'directory-removed': 'the organization does not have their directory any more',
  'no-origin': '`known` gives neither `occurredAt` nor `directoryId`',
  'no-history': 'no earlier pass on this store has judged the directory',
  'several-directories': '`known` does not say which of the directories they are of',
  unsettled:
    'the reading was not steady, another directory failed, or `known` yielded foreign records; a later pass looks again',
  'directory-disabled': 'the directory was disabled meanwhile',
}

/** A line names the first of them; the report itself has 1,000. */
const namedAtMost = 100

/**
 * A report for a person: one line for each directory where something happened, and what to do about what was held.
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
  // The totals are the only directory's own.
  const withCounts = totals.directories > 1
  for (const organization of report.organizations) {
    lines.push(...organizationLines(organization, withCounts))
  }
  for (const approval of report.unusedApprovals) {
    lines.push(`approval ${approval}: no deletions are held by that name, now`)
  }
  return lines.join('\n')
}

function clocksText({ storeAheadSeconds, recordsAheadSeconds }: ClocksApart): string {
  const store = storeAheadSeconds ?? 0
  const apart = [
    ...(store === 0
      ? []
      : [`the store's is ${Math.abs(store)} s ${store > 0 ? 'ahead of' : 'behind'} this process's`]),
    ...(recordsAheadSeconds === undefined
      ? []
      : [`Scalekit's is ${recordsAheadSeconds} s ahead of the store's`]),
  ]
  return `clocks: ${apart.join(', ')}. Set them by NTP: changes may be missed meanwhile`
}

function modeText({ organizations, totals }: SyncReport): string {
  const directories = organizations.flatMap((organization) => organization.directories)
  const full = directories.filter(({ mode }) => mode === 'full').length
  if (totals.directories === 0) return ''
  if (full === 0) return ' (incremental)'
  if (full === totals.directories) return ' (full)'
  return ` (${full} of ${totals.directories} directories full)`
}

function organizationLines(organization: OrganizationReport, withCounts: boolean): string[] {
  const { organizationId, error, directories } = organization
  const lines = error ? [`${organizationId}${errorText(error)}`] : []
  for (const directory of directories) {
    if (isQuiet(directory)) continue
    lines.push(
      `${organizationId} ${directory.directoryId} (${directory.mode}, ${duration(directory.durationMs)})` +
        errorText(directory.error),
      ...(withCounts ? countLines(directory).map((line) => `  ${line}`) : []),
      ...recordLines(directory),
      ...directory.held.map(heldText),
      ...directory.returned.map(returnedText),
    )
  }
  return lines
}

/** Who was deleted, and whose event failed, by their ids. */
function recordLines({ deleted, failed, deactivated }: DirectoryReport): string[] {
  const lines = [
    ...listLines('deleted', 'user', deleted.users),
    ...listLines('deleted', 'group', deleted.groups),
    ...listLines('failed', 'user', failed.users),
    ...listLines('failed', 'group', failed.groups),
  ]
  if (!deactivated.overLimits) return lines
  return [...lines, ...listLines('deactivated, more than a day should have,', 'user', deactivated)]
}

function listLines(what: string, kind: string, { count, ids }: RecordList): string[] {
  if (count === 0) return []
  const more = count > namedAtMost ? `, and ${count - namedAtMost} more` : ''
  return [`  ${what} ${counted(count, kind)}: ${ids.slice(0, namedAtMost).join(', ')}${more}`]
}

function returnedText({ kind, count, approval }: ReturnedRecords): string {
  return `  ${counted(count, kind)} came back, and left the deletions held as ${approval}`
}

function isQuiet({ users, groups, error, held, returned }: DirectoryReport): boolean {
  const nothing = ({ seen, unchanged, repeated, deleted, failed }: Counts) =>
    seen === unchanged + repeated && deleted + failed === 0
  return (
    error === undefined && held.length === 0 && returned.length === 0 && nothing(users) && nothing(groups)
  )
}

function heldText({ kind, reason, count, approval, approvedUntil }: HeldDeletions): string {
  const what = `  held: ${counted(count, kind)} not listed any more, because ${heldBecause[reason]}`
  if (approval === undefined) return what
  if (approvedUntil === undefined) return `${what}. To delete them: approve ${approval}`
  return `${what}. Approved until ${approvedUntil}: the next full pass deletes them`
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
