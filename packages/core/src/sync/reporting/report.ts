/** The results for the records of one kind. */
export interface Counts {
  /** Listed by the directory. In an incremental pass, those that had changed. */
  seen: number
  /** The handler ran. In a dry run, it would have run. */
  created: number
  updated: number
  deleted: number
  /**
   * Sent again, because the application's time is less than a minute after the record's time, and clocks may differ.
   * Only passes soon after a change do so. Later passes count the record as unchanged.
   */
  repeated: number
  /** The application has the same state. */
  unchanged: number
  /** A webhook was newer. */
  stale: number
  /** The handler threw `DropEvent`. */
  dropped: number
  /** No handler is registered for the event. */
  unhandled: number
  /** No longer listed, and not deleted: see `held` of the directory. */
  held: number
  /** The handler or the store failed. The next pass retries. After three full passes, the next scheduled full one does. */
  failed: number
}

/**
 * Why deletions wait for an approval. They stay held in later passes, and with wider limits. Without an approval, a record
 * is released only if a directory of the organization lists it again, or if `known` has not yielded any record of the
 * same hold for 90 days.
 *
 * - 'over-limit': more than `deletions` allows in a day, or twice its count and four times its share in 30 days
 * - 'over-half': with the deletions of 30 days, over half of the directory's records
 * - 'nothing-listed': the directory lists nothing
 * - 'directory-removed': the records' `directoryId` is a directory that the organization no longer has, and no other
 *   directory lists them
 * - 'no-origin': `known` yields neither `occurredAt` nor `directoryId`, so nothing shows that a directory created them
 * - 'no-history': no earlier full pass on this store has checked the directory, or the store has lost its data since
 */
export type StickyReason =
  | 'over-limit'
  | 'over-half'
  | 'nothing-listed'
  | 'directory-removed'
  | 'no-origin'
  | 'no-history'

/**
 * Why deletions were not applied: {@link StickyReason}, or a reason that cannot be approved.
 *
 * - 'unsettled': the directory or the organization's directories changed during the pass, the announced totals were
 *   wrong, or `known` yielded foreign records. Also if a directory was not read that may list the users of a removed
 *   directory. A later full pass checks again.
 * - 'directory-disabled': the directory was disabled during the pass. The next pass checks again.
 * - 'several-directories': the organization has or had several directories, and `known` does not yield `directoryId`
 */
export type HeldReason = StickyReason | 'unsettled' | 'directory-disabled' | 'several-directories'

export interface HeldDeletions {
  kind: 'user' | 'group'
  reason: HeldReason
  count: number
  /**
   * For `run({ approve: [approval] })`, which deletes those records that two new walks do not list either. Only present
   * with a {@link StickyReason}. Valid for 7 days from that run on, so a handler that fails is retried. An approval from a
   * dry run can be given for 7 days after it, while the same records are missing.
   */
  approval?: string
  /** When they were held first: UTC, RFC 3339. Only present with an approval. */
  heldSince?: string
  /** Present if they are approved. Each full pass until then retries the deletion: UTC, RFC 3339. */
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

/** Records that were held and are listed again by a directory of the organization. They are no longer held. */
export interface ReturnedRecords extends RecordList {
  kind: 'user' | 'group'
  /** The approval of their hold. It stays valid for the other records. */
  approval: string
}

/** Users that the pass sent as `active: false`. Deactivations are reversible, so no limit holds them. */
export interface Deactivations extends RecordList {
  /** Whether they are more than `deletions` would allow in a day. Check that they are right. */
  overLimits: boolean
}

/** The class and the code of an error. Its message may hold personal data. */
export interface ReportedError {
  name: string
  code?: string
  /** The problem and its fix. Only present for a {@link SyncError}: its message holds no personal data. */
  hint?: string
  /**
   * The error itself, for debugging: its message may hold personal data. Not enumerable, so logs, `JSON.stringify` and
   * copies of the report do not contain it.
   */
  readonly cause?: unknown
}

export interface DirectoryReport {
  directoryId: string
  mode: 'full' | 'incremental'
  users: Counts
  groups: Counts
  held: HeldDeletions[]
  /** Records whose deletion was applied by the handlers. In a dry run, it would have been applied. */
  deleted: Record<'users' | 'groups', RecordList>
  /** Records with a failed event, deletions included. */
  failed: Record<'users' | 'groups', RecordList>
  returned: ReturnedRecords[]
  deactivated: Deactivations
  error?: ReportedError
  /** The number of repeated calls of the Directory API. */
  retries: number
  durationMs: number
}

/**
 * Which clocks are more than 30 s apart, and by how much. The sync's margin is a minute. If the sum of the differences
 * exceeds it, changes may be missed.
 */
export interface ClocksApart {
  /** How far the store's clock is ahead of this process's. Negative: behind. */
  storeAheadSeconds?: number
  /** How far a record's time is ahead of the store's clock. Scalekit's clock is ahead, or the store's is behind. */
  recordsAheadSeconds?: number
}

export interface OrganizationReport {
  organizationId: string
  /** Why nothing was read: the organization has no directory, or no enabled one. */
  skipped?: 'no-directory' | 'directory-disabled'
  error?: ReportedError
  directories: DirectoryReport[]
}

export interface SyncReport {
  /** UTC, RFC 3339 */
  startedAt: string
  durationMs: number
  /** The requested mode. Each directory has the mode that was used for it. */
  mode: 'auto' | 'full' | 'incremental'
  dryRun: boolean
  /**
   * - 'complete': every directory was read to its end, and nothing failed.
   * - 'incomplete': something failed, see the errors.
   * - 'cancelled': the signal, `stop()` or a closed dispatcher ended the pass.
   * - 'busy': another pass was running.
   */
  outcome: 'complete' | 'incomplete' | 'cancelled' | 'busy'
  organizations: OrganizationReport[]
  totals: SyncTotals
  /**
   * The approvals of `approve` that matched no held deletions in this pass. They are mistyped, already used, or from a dry
   * run that is over 7 days old or had other ids. Or their directory was not read, or `known` yielded nothing for it.
   */
  unusedApprovals: readonly string[]
  /** The number of repeated calls of the Directory API. */
  retries: number
  /** Only present if the pass found clocks that are too far apart. */
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
  for (const counts of all) {
    for (const name of countNames) total[name] += counts[name]
  }
  return total
}

const countNames = Object.keys(noCounts()) as (keyof Counts)[]
