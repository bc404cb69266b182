/** The results for the records of one kind. */
export interface Counts {
  /** Records that the directory listed. An incremental pass counts only changed records. */
  seen: number
  /** Records whose handler ran. A dry run counts the records whose handler would run. */
  created: number
  updated: number
  deleted: number
  /**
   * The records that the sync sent again. The application's time is less than a minute after the record's time, so
   * different clocks can hide a change. Only passes soon after a change send records again. Later passes count the
   * record as unchanged.
   */
  repeated: number
  /** Records that are the same in the application. */
  unchanged: number
  /** Records that are older than a webhook that was already applied. */
  stale: number
  /** Records for which the handler threw `DropEvent`. */
  dropped: number
  /** Records without a handler for their event. */
  unhandled: number
  /** Records that are no longer listed, but were not deleted. `held` in the directory's report contains the reason. */
  held: number
  /**
   * Records for which the handler or the store failed. The next pass retries such records. After three failed full
   * passes, the next scheduled full pass retries the records.
   */
  failed: number
}

/**
 * The reason why deletions wait for an approval. Later passes and wider limits do not release held records. If a
 * directory of the organization lists a held record again, the sync releases the record. If `known` has yielded no
 * record of a hold for 90 days, the sync releases the hold.
 *
 * - 'over-limit': there are more deletions than the option `deletions` allows in a day or in 30 days
 * - 'over-half': with the deletions of the last 30 days, the sync would delete more than half of the directory's
 *   records
 * - 'nothing-listed': the directory lists no records
 * - 'directory-removed': the organization no longer has the records' directory, and no other directory lists the
 *   records
 * - 'no-origin': `known` yields neither `occurredAt` nor `directoryId`, so nothing shows that a directory created the
 *   records
 * - 'no-history': no earlier full pass on this store has checked the directory, or the store has since lost its data
 */
export type StickyReason =
  | 'over-limit'
  | 'over-half'
  | 'nothing-listed'
  | 'directory-removed'
  | 'no-origin'
  | 'no-history'

/**
 * The reason why deletions were not applied: {@link StickyReason}, or a reason that you cannot approve.
 *
 * - 'unsettled': the pass could not decide, so a later full pass checks the records again. The directory or the list of
 *   directories changed, or the API reported wrong totals. Other causes are foreign records in `known`, and another
 *   directory that was not read to its end.
 * - 'directory-disabled': the directory was disabled during the pass. The next pass checks the records again.
 * - 'several-directories': the organization has or had several directories, and `known` does not yield `directoryId`
 */
export type HeldReason = StickyReason | 'unsettled' | 'directory-disabled' | 'several-directories'

export interface HeldDeletions {
  kind: 'user' | 'group'
  reason: HeldReason
  count: number
  /**
   * To delete the records, pass this approval to `run({ approve: [approval] })`. That run reads the directory twice,
   * and deletes the records that are still missing. Only present with a {@link StickyReason}.
   *
   * The approval is valid for 7 days after you pass it. If a handler fails, later passes try the deletion again. If the
   * same records are still missing, you can use an approval from a dry run within 7 days.
   */
  approval?: string
  /** The time when the sync first held the deletions. UTC, RFC 3339. Only present with an approval. */
  heldSince?: string
  /** Only present for approved deletions. Each full pass until this time retries the deletions. UTC, RFC 3339. */
  approvedUntil?: string
  /** The first 1,000 ids, sorted. */
  ids: readonly string[]
}

/** Records by their ids. */
export interface RecordList {
  count: number
  /** The first 1,000 ids. */
  ids: readonly string[]
}

/** Formerly held records that a directory of the organization lists again. */
export interface ReturnedRecords extends RecordList {
  kind: 'user' | 'group'
  /** The approval of the hold. The approval is also valid for the other records of that hold. */
  approval: string
}

/** Users that the pass sent as `active: false`. Deactivations are reversible, so no limit applies to them. */
export interface Deactivations extends RecordList {
  /**
   * Whether there are more deactivations than the deletions that the option `deletions` allows in a day. If `true`,
   * check the deactivations.
   */
  overLimits: boolean
}

/**
 * The class and the code of an error. The report leaves out the error's message, because the message can contain
 * personal data.
 */
export interface ReportedError {
  name: string
  code?: string
  /** The problem and its fix. Only present for a {@link SyncError}, because its message contains no personal data. */
  hint?: string
  /**
   * The error itself, for debugging. The error's message can contain personal data. The property is not enumerable, so
   * logs, `JSON.stringify` and copies of the report do not contain it.
   */
  readonly cause?: unknown
}

export interface DirectoryReport {
  directoryId: string
  mode: 'full' | 'incremental'
  users: Counts
  groups: Counts
  held: HeldDeletions[]
  /** Records that the handlers deleted. A dry run counts the records that the handlers would delete. */
  deleted: Record<'users' | 'groups', RecordList>
  /** Records with a failed event, including failed deletions. */
  failed: Record<'users' | 'groups', RecordList>
  returned: ReturnedRecords[]
  deactivated: Deactivations
  error?: ReportedError
  /** The number of repeated calls of the Directory API. */
  retries: number
  durationMs: number
}

/**
 * The clocks that are more than 30 s apart, and their differences. The sync allows for a total difference of one
 * minute. If the sum of the differences is larger, the sync can miss changes.
 */
export interface ClocksApart {
  /**
   * The time by which the store's clock is ahead of this process's clock. If the store's clock is behind, the value is
   * negative.
   */
  storeAheadSeconds?: number
  /**
   * The time by which a record is ahead of the store's clock. Either Scalekit's clock is ahead, or the store's clock is
   * behind.
   */
  recordsAheadSeconds?: number
}

export interface OrganizationReport {
  organizationId: string
  /**
   * The reason why the pass read no directory: the organization does not have a directory, or does not have an enabled
   * directory.
   */
  skipped?: 'no-directory' | 'directory-disabled'
  error?: ReportedError
  directories: DirectoryReport[]
}

export interface SyncReport {
  /** UTC, RFC 3339 */
  startedAt: string
  durationMs: number
  /** The requested mode. The report of each directory has the directory's own mode. */
  mode: 'auto' | 'full' | 'incremental'
  dryRun: boolean
  /**
   * - 'complete': the pass read every directory to its end, and no event failed.
   * - 'incomplete': an error or a failed event occurred. The report contains the errors.
   * - 'cancelled': the signal, `stop()` or a closed dispatcher ended the pass.
   * - 'busy': another pass was running.
   */
  outcome: 'complete' | 'incomplete' | 'cancelled' | 'busy'
  organizations: OrganizationReport[]
  totals: SyncTotals
  /**
   * The approvals of `approve` that matched no held deletions in this pass. Possible reasons:
   * - The approval has a typing error, or an earlier run used it.
   * - The approval is from a dry run that is more than 7 days old or had other ids.
   * - The pass did not read the approval's directory, or `known` yielded nothing for that directory.
   */
  unusedApprovals: readonly string[]
  /** The number of repeated calls of the Directory API. */
  retries: number
  /** Absent if the clocks are close enough. */
  clocksApart?: ClocksApart
  /** The error that ended the whole pass. */
  error?: ReportedError
}

export interface SyncTotals {
  organizations: number
  skipped: number
  directories: number
  /** Organizations and directories that ended with an error. */
  errors: number
  users: Counts
  groups: Counts
}

export function noCounts(): Counts {
  return {
    seen: 0,
    created: 0,
    updated: 0,
    deleted: 0,
    repeated: 0,
    unchanged: 0,
    stale: 0,
    dropped: 0,
    unhandled: 0,
    held: 0,
    failed: 0,
  }
}

export function totalsOf(organizations: readonly OrganizationReport[]): SyncTotals {
  const directories = organizations.flatMap((organization) => organization.directories)
  return {
    organizations: organizations.length,
    skipped: organizations.filter(({ skipped }) => skipped).length,
    directories: directories.length,
    errors: [...organizations, ...directories].filter(({ error }) => error).length,
    users: sum(directories.map(({ users }) => users)),
    groups: sum(directories.map(({ groups }) => groups)),
  }
}

function sum(all: readonly Counts[]): Counts {
  const total = noCounts()
  for (const counts of all) for (const name of countNames) total[name] += counts[name]
  return total
}

const countNames = Object.keys(noCounts()) as (keyof Counts)[]
